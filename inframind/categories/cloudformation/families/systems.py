"""Families of small systems."""

from inframind.bench.draw import Draw
from inframind.bench.family import Draft, Families
from inframind.categories.cloudformation.families.checks import asked, holds, refers
from inframind.categories.cloudformation.families.stacks import TRUST
from inframind.types import Check

FAMILIES = Families("cloudformation")
family = FAMILIES.family

WEBSITE = """Resources:
  Files:
    Type: AWS::S3::Bucket
    Properties:
      BucketName: {bucket}
      PublicAccessBlockConfiguration:
        BlockPublicAcls: true
        BlockPublicPolicy: true
        IgnorePublicAcls: true
        RestrictPublicBuckets: true
  Access:
    Type: AWS::CloudFront::OriginAccessControl
    Properties:
      OriginAccessControlConfig:
        Name: {bucket}
        OriginAccessControlOriginType: s3
        SigningBehavior: always
        SigningProtocol: sigv4
  Distribution:
    Type: AWS::CloudFront::Distribution
    Properties:
      DistributionConfig:
        Enabled: true
        Comment: {comment}
        DefaultRootObject: index.html
        Origins:
          - Id: files
            DomainName: !GetAtt Files.RegionalDomainName
            OriginAccessControlId: !GetAtt Access.Id
            S3OriginConfig: {{}}
        DefaultCacheBehavior:
          TargetOriginId: files
          ViewerProtocolPolicy: redirect-to-https
          CachePolicyId: 658327ea-f89d-4fab-a63d-7e88639e58f6
  Policy:
    Type: AWS::S3::BucketPolicy
    Properties:
      Bucket: !Ref Files
      PolicyDocument:
        Version: "2012-10-17"
        Statement:
          - Effect: Allow
            Principal:
              Service: cloudfront.amazonaws.com
            Action: s3:GetObject
            Resource: !Sub ${{Files.Arn}}/*
Outputs:
  Domain:
    Value: !GetAtt Distribution.DomainName
"""
"""A private bucket behind CloudFront."""


@family("public-network", difficulty=4)
def public_network(draw: Draw) -> Draft:
    name, base = draw.name(), draw.integer(10, 250)
    network, subnet = f"10.{base}.0.0/16", f"10.{base}.{draw.integer(1, 200)}.0/24"
    answer = f"""Resources:
  Vpc:
    Type: AWS::EC2::VPC
    Properties:
      CidrBlock: {network}
      Tags:
        - Key: Name
          Value: {name}
  Gateway:
    Type: AWS::EC2::InternetGateway
  Attachment:
    Type: AWS::EC2::VPCGatewayAttachment
    Properties:
      VpcId: !Ref Vpc
      InternetGatewayId: !Ref Gateway
  Subnet:
    Type: AWS::EC2::Subnet
    Properties:
      VpcId: !Ref Vpc
      CidrBlock: {subnet}
      MapPublicIpOnLaunch: true
  Routes:
    Type: AWS::EC2::RouteTable
    Properties:
      VpcId: !Ref Vpc
  Internet:
    Type: AWS::EC2::Route
    DependsOn: Attachment
    Properties:
      RouteTableId: !Ref Routes
      DestinationCidrBlock: 0.0.0.0/0
      GatewayId: !Ref Gateway
  Association:
    Type: AWS::EC2::SubnetRouteTableAssociation
    Properties:
      SubnetId: !Ref Subnet
      RouteTableId: !Ref Routes
"""
    return Draft(
        wordings=(
            f"Write a CloudFormation template for a public network: the VPC {network} tagged Name={name} with an attached internet gateway, the subnet {subnet} whose instances get public addresses, and a route table of that subnet with the default route to the gateway, made after the attachment.",
            f"cloudformation: VPC {network} Name={name}, internet gateway + attachment, subnet {subnet} MapPublicIpOnLaunch, route table + association, route 0.0.0.0/0 to the gateway DependsOn the attachment",
            f"{name} is a VPC ({network}, tag Name) that reaches the internet: gateway, attachment, the public subnet {subnet}, its route table with 0.0.0.0/0 (which waits for the attachment) and their association.",
        ),
        answer=answer,
        reasoning=(
            f"VPC {network}, gateway and attachment",
            f"subnet {subnet} with public addresses",
            "route table, default route, association",
        ),
        checks=(
            *asked("AWS::EC2::VPC", {"CidrBlock": network}, gate=True),
            holds("AWS::EC2::VPC", "Tags", {"Key": "Name", "Value": name}),
            *asked("AWS::EC2::Subnet", {"CidrBlock": subnet}, {"MapPublicIpOnLaunch": True}),
            refers("AWS::EC2::Subnet", "VpcId", "AWS::EC2::VPC"),
            refers(
                "AWS::EC2::VPCGatewayAttachment", "InternetGatewayId", "AWS::EC2::InternetGateway"
            ),
            *asked("AWS::EC2::Route", {"DestinationCidrBlock": "0.0.0.0/0"}),
            refers("AWS::EC2::Route", "GatewayId", "AWS::EC2::InternetGateway"),
            refers("AWS::EC2::Route", "DependsOn", "AWS::EC2::VPCGatewayAttachment"),
            refers("AWS::EC2::SubnetRouteTableAssociation", "SubnetId", "AWS::EC2::Subnet"),
            refers("AWS::EC2::SubnetRouteTableAssociation", "RouteTableId", "AWS::EC2::RouteTable"),
        ),
        variant=answer.replace("DependsOn: Attachment", "DependsOn: [Attachment]").replace(
            "!Ref Gateway", "!GetAtt Gateway.InternetGatewayId"
        ),
        habits=(
            ("    DependsOn: Attachment\n", ""),
            ("MapPublicIpOnLaunch", "AssociatePublicIpAddress"),
        ),
    )


@family("schedule", difficulty=4)
def schedule(draw: Draw) -> Draft:
    function, rule, hours = draw.name(), draw.name(), draw.integer(2, 9)
    answer = f"""Resources:
  Role:
{TRUST.format(service="lambda")}  Function:
    Type: AWS::Lambda::Function
    Properties:
      FunctionName: {function}
      Runtime: python3.12
      Handler: index.handler
      Role: !GetAtt Role.Arn
      Code:
        ZipFile: "def handler(event, context): return event"
  Rule:
    Type: AWS::Events::Rule
    Properties:
      Name: {rule}
      ScheduleExpression: rate({hours} hours)
      Targets:
        - Id: function
          Arn: !GetAtt Function.Arn
  Permission:
    Type: AWS::Lambda::Permission
    Properties:
      Action: lambda:InvokeFunction
      FunctionName: !Ref Function
      Principal: events.amazonaws.com
      SourceArn: !GetAtt Rule.Arn
"""
    return Draft(
        wordings=(
            f"Write a CloudFormation template: the EventBridge rule {rule} calls the Lambda function {function} (python3.12, inline code, its own role) every {hours} hours; the function permits events.amazonaws.com to invoke it from that rule.",
            f"cloudformation: rule {rule} rate({hours} hours) -> Lambda {function} python3.12 inline, role, AWS::Lambda::Permission for events.amazonaws.com with SourceArn",
            f"Every {hours} hours {function} runs: a python3.12 Lambda with code in the template and a role of its own, called by the rule {rule}. Do not forget the permission for events.amazonaws.com, bound to the rule.",
        ),
        answer=answer,
        reasoning=(
            f"role and function {function}",
            f"rule {rule}: rate({hours} hours)",
            "permission for events.amazonaws.com from the rule",
        ),
        checks=(
            *asked(
                "AWS::Lambda::Function",
                {"FunctionName": function},
                {"Runtime": "python3.12"},
                gate=True,
            ),
            refers("AWS::Lambda::Function", "Role", "AWS::IAM::Role"),
            *asked(
                "AWS::Events::Rule", {"Name": rule}, {"ScheduleExpression": f"rate({hours} hours)"}
            ),
            refers("AWS::Events::Rule", "Targets.Arn", "AWS::Lambda::Function"),
            *asked(
                "AWS::Lambda::Permission",
                {"Principal": "events.amazonaws.com"},
                {"Action": "lambda:InvokeFunction"},
            ),
            refers("AWS::Lambda::Permission", "FunctionName", "AWS::Lambda::Function"),
            refers("AWS::Lambda::Permission", "SourceArn", "AWS::Events::Rule"),
        ),
        variant=answer.replace("FunctionName: !Ref Function", "FunctionName: !GetAtt Function.Arn")
        .replace("  Rule:\n", "  Every:\n")
        .replace("Rule.Arn", "Every.Arn"),
        habits=(
            (f"rate({hours} hours)", f"rate({hours} hour)"),
            ("      SourceArn: !GetAtt Rule.Arn\n", ""),
        ),
    )


@family("load-balancer", difficulty=4)
def load_balancer(draw: Draw) -> Draft:
    name, port, path = draw.word(), draw.port(), draw.name()
    answer = f"""Parameters:
  VpcId:
    Type: AWS::EC2::VPC::Id
  SubnetIds:
    Type: List<AWS::EC2::Subnet::Id>
Resources:
  Group:
    Type: AWS::EC2::SecurityGroup
    Properties:
      GroupDescription: http
      VpcId: !Ref VpcId
      SecurityGroupIngress:
        - IpProtocol: tcp
          FromPort: 80
          ToPort: 80
          CidrIp: 0.0.0.0/0
  Balancer:
    Type: AWS::ElasticLoadBalancingV2::LoadBalancer
    Properties:
      Name: {name}
      Subnets: !Ref SubnetIds
      SecurityGroups: [!Ref Group]
  Targets:
    Type: AWS::ElasticLoadBalancingV2::TargetGroup
    Properties:
      Port: {port}
      Protocol: HTTP
      VpcId: !Ref VpcId
      HealthCheckPath: /{path}
  Listener:
    Type: AWS::ElasticLoadBalancingV2::Listener
    Properties:
      LoadBalancerArn: !Ref Balancer
      Port: 80
      Protocol: HTTP
      DefaultActions:
        - Type: forward
          TargetGroupArn: !Ref Targets
Outputs:
  Url:
    Value: !Sub http://${{Balancer.DNSName}}
"""
    elb = "AWS::ElasticLoadBalancingV2::"
    return Draft(
        wordings=(
            f"Write a CloudFormation template for the application load balancer {name} in the subnets of the parameter SubnetIds (a list) and the VPC of VpcId. Its security group lets port 80 in from everywhere; an HTTP listener on 80 forwards to a target group on HTTP port {port} with the health check /{path}. Output its DNS name in a Url.",
            f"cloudformation: parameters VpcId, SubnetIds (list); security group 80 from 0.0.0.0/0; ALB {name}; target group HTTP {port}, health /{path}; listener HTTP 80 forward; output Url",
            f"{name} is an ALB for the VpcId and SubnetIds given as parameters, open to the world on 80 by its own security group. It forwards HTTP 80 to targets on {port} (HTTP), which are healthy if /{path} answers. Its address is the output Url.",
        ),
        answer=answer,
        reasoning=(
            f"security group for 80, balancer {name}",
            f"target group {port} with /{path}",
            "listener 80 forwards, output Url",
        ),
        checks=(
            *asked(f"{elb}LoadBalancer", {"Name": name}, gate=True),
            refers(f"{elb}LoadBalancer", "Subnets", "parameter"),
            refers(f"{elb}LoadBalancer", "SecurityGroups", "AWS::EC2::SecurityGroup"),
            holds(
                "AWS::EC2::SecurityGroup",
                "SecurityGroupIngress",
                {"FromPort": 80, "ToPort": 80, "CidrIp": "0.0.0.0/0"},
            ),
            *asked(
                f"{elb}TargetGroup",
                {"Port": port},
                {"Protocol": "HTTP", "HealthCheckPath": f"/{path}"},
            ),
            *asked(f"{elb}Listener", {"Port": 80}, {"Protocol": "HTTP"}),
            refers(f"{elb}Listener", "LoadBalancerArn", f"{elb}LoadBalancer"),
            refers(f"{elb}Listener", "DefaultActions", f"{elb}TargetGroup"),
            refers("output", "Value", f"{elb}LoadBalancer"),
        ),
        variant=answer.replace(
            "!Sub http://${Balancer.DNSName}", '!Join ["", ["http://", !GetAtt Balancer.DNSName]]'
        ).replace("[!Ref Group]", "[!GetAtt Group.GroupId]"),
        habits=(("Balancer.DNSName", "Balancer.DnsName"), ("Type: forward", "Type: Forward")),
    )


@family("fan-out", difficulty=4, held_out=True)
def fan_out(draw: Draw) -> Draft:
    topic, first, second = draw.name(), draw.name(), draw.name()
    queue = """  {id}:
    Type: AWS::SQS::Queue
    Properties:
      QueueName: {name}
  {id}Subscription:
    Type: AWS::SNS::Subscription
    Properties:
      TopicArn: !Ref Topic
      Protocol: sqs
      Endpoint: !GetAtt {id}.Arn
"""
    answer = (
        f"Resources:\n  Topic:\n    Type: AWS::SNS::Topic\n    Properties:\n      TopicName: {topic}\n"
        + queue.format(id="First", name=first)
        + queue.format(id="Second", name=second)
        + """  Policy:
    Type: AWS::SQS::QueuePolicy
    Properties:
      Queues: [!Ref First, !Ref Second]
      PolicyDocument:
        Version: "2012-10-17"
        Statement:
          - Effect: Allow
            Principal:
              Service: sns.amazonaws.com
            Action: sqs:SendMessage
            Resource: [!GetAtt First.Arn, !GetAtt Second.Arn]
            Condition:
              ArnEquals:
                aws:SourceArn: !Ref Topic
"""
    )
    return Draft(
        wordings=(
            f"Write a CloudFormation template: what is published to the SNS topic {topic} goes to the SQS queues {first} and {second}. Each has a subscription, and one queue policy lets sns.amazonaws.com send messages to both from that topic.",
            f"cloudformation: SNS {topic} -> SQS {first}, {second}; two subscriptions; queue policy sns.amazonaws.com sqs:SendMessage, ArnEquals aws:SourceArn topic",
            f"Fan out {topic} (SNS) to {first} and {second} (SQS). The subscriptions alone are not enough: add a queue policy for both queues that allows sqs:SendMessage to sns.amazonaws.com when the source is the topic.",
        ),
        answer=answer,
        reasoning=(
            f"topic {topic}, queues {first} and {second}",
            "a subscription each",
            "queue policy for sns.amazonaws.com",
        ),
        checks=(
            *asked("AWS::SNS::Topic", {"TopicName": topic}, gate=True),
            *asked("AWS::SQS::Queue", {"QueueName": first}),
            *asked("AWS::SQS::Queue", {"QueueName": second}),
            Check(op="count", kind="AWS::SNS::Subscription", value=2, id="subscriptions"),
            refers("AWS::SNS::Subscription", "Endpoint", "AWS::SQS::Queue"),
            refers("AWS::SQS::QueuePolicy", "Queues", "AWS::SQS::Queue"),
            Check(op="at_least", kind="AWS::SQS::QueuePolicy", path="Queues", value=2, id="queues"),
            holds(
                "AWS::SQS::QueuePolicy",
                "PolicyDocument.Statement",
                {"Effect": "Allow", "Action": "sqs:SendMessage"},
            ),
            refers(
                "AWS::SQS::QueuePolicy", "PolicyDocument.Statement.Condition", "AWS::SNS::Topic"
            ),
        ),
        variant=answer.replace("Arn: !Ref Topic", "Arn: !GetAtt Topic.TopicArn"),
        habits=(
            ("!GetAtt First.Arn", "!Ref First.Arn"),
            ("            Action: sqs:SendMessage\n", ""),
        ),
    )


@family("service", difficulty=5)
def service(draw: Draw) -> Draft:
    cluster, name, image, port, count = (
        draw.name(),
        draw.name(),
        f"{draw.word()}:1.4",
        draw.port(),
        draw.integer(2, 6),
    )
    answer = f"""Parameters:
  SubnetIds:
    Type: List<AWS::EC2::Subnet::Id>
Resources:
  Cluster:
    Type: AWS::ECS::Cluster
    Properties:
      ClusterName: {cluster}
  Logs:
    Type: AWS::Logs::LogGroup
    Properties:
      RetentionInDays: 30
  ExecutionRole:
{TRUST.format(service="ecs-tasks")}      ManagedPolicyArns:
        - arn:aws:iam::aws:policy/service-role/AmazonECSTaskExecutionRolePolicy
  Task:
    Type: AWS::ECS::TaskDefinition
    Properties:
      Family: {name}
      Cpu: "256"
      Memory: "512"
      NetworkMode: awsvpc
      RequiresCompatibilities: [FARGATE]
      ExecutionRoleArn: !GetAtt ExecutionRole.Arn
      ContainerDefinitions:
        - Name: app
          Image: {image}
          PortMappings:
            - ContainerPort: {port}
          LogConfiguration:
            LogDriver: awslogs
            Options:
              awslogs-group: !Ref Logs
              awslogs-region: !Ref AWS::Region
              awslogs-stream-prefix: app
  Service:
    Type: AWS::ECS::Service
    Properties:
      ServiceName: {name}
      Cluster: !Ref Cluster
      TaskDefinition: !Ref Task
      DesiredCount: {count}
      LaunchType: FARGATE
      NetworkConfiguration:
        AwsvpcConfiguration:
          Subnets: !Ref SubnetIds
"""
    ecs = "AWS::ECS::"
    task = "AWS::ECS::TaskDefinition"
    return Draft(
        wordings=(
            f"Write a CloudFormation template for the Fargate service {name} in the ECS cluster {cluster}: {count} tasks of the family {name} (256 CPU units, 512 MB, awsvpc) with one container app of {image} on port {port}, which logs by awslogs to a log group kept 30 days. The execution role has AmazonECSTaskExecutionRolePolicy; the subnets are the list parameter SubnetIds.",
            f"cloudformation: ECS cluster {cluster}; Fargate service {name} x{count}, subnets from parameter SubnetIds; task {name} 256/512 awsvpc, container app {image} port {port}, awslogs to a 30-day log group; execution role AmazonECSTaskExecutionRolePolicy",
            f"Run {name} on Fargate.\n---\n- cluster {cluster}\n- service {name}: {count} tasks in the subnets of the list parameter SubnetIds\n- task family {name}: Cpu 256, Memory 512, awsvpc, an execution role with AmazonECSTaskExecutionRolePolicy\n- container app: {image}, port {port}, awslogs to a log group of 30 days",
        ),
        answer=answer,
        reasoning=(
            f"cluster {cluster}, log group, execution role",
            f"task {name}: container app of {image} on {port} with awslogs",
            f"service {name}: {count} on Fargate in SubnetIds",
        ),
        checks=(
            *asked(f"{ecs}Cluster", {"ClusterName": cluster}),
            *asked("AWS::Logs::LogGroup", {"RetentionInDays": 30}),
            *asked(
                task, {"Family": name}, {"Cpu": "256", "Memory": "512", "NetworkMode": "awsvpc"}
            ),
            holds(task, "RequiresCompatibilities", "FARGATE"),
            holds(task, "ContainerDefinitions", {"Name": "app", "Image": image}),
            holds(task, "ContainerDefinitions[].PortMappings[]", {"ContainerPort": port}),
            refers(task, "ExecutionRoleArn", "AWS::IAM::Role"),
            refers(task, "ContainerDefinitions.LogConfiguration", "AWS::Logs::LogGroup"),
            *asked(
                f"{ecs}Service",
                {"ServiceName": name},
                {"DesiredCount": count, "LaunchType": "FARGATE"},
                gate=True,
            ),
            refers(f"{ecs}Service", "Cluster", f"{ecs}Cluster"),
            refers(f"{ecs}Service", "TaskDefinition", task),
            refers(f"{ecs}Service", "NetworkConfiguration", "parameter"),
        ),
        variant=answer.replace('"256"', "256")
        .replace('"512"', "512")
        .replace("!Ref Cluster\n", "!GetAtt Cluster.Arn\n"),
        habits=(("ExecutionRoleArn", "ExecutionRole"), ("!Ref Task\n", "!Ref TaskDefinition\n")),
    )


@family("website", difficulty=5)
def website(draw: Draw) -> Draft:
    bucket, comment = draw.name(), draw.name()
    answer = WEBSITE.format(bucket=bucket, comment=comment)
    front, policy = "AWS::CloudFront::Distribution", "AWS::S3::BucketPolicy"
    return Draft(
        wordings=(
            f"Write a CloudFormation template for a static site: the bucket {bucket} is closed to the public (all four blocks); an enabled CloudFront distribution with the comment {comment} and the root object index.html serves it through an origin access control (s3, always, sigv4) and redirects to HTTPS; the bucket policy allows s3:GetObject to cloudfront.amazonaws.com. Output the domain as Domain.",
            f"cloudformation: S3 {bucket} all public access blocked; CloudFront OAC s3 always sigv4; distribution comment {comment}, index.html, redirect-to-https; bucket policy cloudfront.amazonaws.com s3:GetObject; output Domain",
            f"Serve the files of a private bucket by CloudFront.\n---\nbucket {bucket}, four public access blocks\norigin access control: s3, always, sigv4\ndistribution: enabled, comment {comment}, root index.html, redirect-to-https\nbucket policy: cloudfront.amazonaws.com may s3:GetObject\noutput Domain",
        ),
        answer=answer,
        reasoning=(
            f"private bucket {bucket}",
            "origin access control",
            f"distribution {comment} with redirect-to-https",
            "bucket policy for cloudfront",
        ),
        checks=(
            *asked(
                "AWS::S3::Bucket",
                {"BucketName": bucket},
                {
                    "PublicAccessBlockConfiguration.BlockPublicPolicy": True,
                    "PublicAccessBlockConfiguration.RestrictPublicBuckets": True,
                },
            ),
            *asked(
                "AWS::CloudFront::OriginAccessControl",
                {"OriginAccessControlConfig.SigningProtocol": "sigv4"},
                {"OriginAccessControlConfig.SigningBehavior": "always"},
            ),
            *asked(
                front,
                {"DistributionConfig.Comment": comment},
                {
                    "DistributionConfig.Enabled": True,
                    "DistributionConfig.DefaultRootObject": "index.html",
                },
                gate=True,
            ),
            Check(
                op="equals",
                kind=front,
                path="DistributionConfig.DefaultCacheBehavior.ViewerProtocolPolicy",
                value="redirect-to-https",
                id="https",
            ),
            refers(front, "DistributionConfig.Origins.DomainName", "AWS::S3::Bucket"),
            refers(
                front,
                "DistributionConfig.Origins.OriginAccessControlId",
                "AWS::CloudFront::OriginAccessControl",
            ),
            refers(policy, "Bucket", "AWS::S3::Bucket"),
            holds(
                policy,
                "PolicyDocument.Statement",
                {
                    "Effect": "Allow",
                    "Action": "s3:GetObject",
                    "Principal": {"Service": "cloudfront.amazonaws.com"},
                },
            ),
            refers("output", "Value", front),
        ),
        variant=answer.replace(
            "!GetAtt Distribution.DomainName", "!Sub ${Distribution.DomainName}"
        ).replace("!GetAtt Access.Id", "!Ref Access"),
        habits=(("Files.RegionalDomainName", "Files.DomainNames"), ("redirect-to-https", "https")),
    )

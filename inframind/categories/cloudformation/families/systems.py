"""Families of small systems."""

from inframind.bench.draw import Draw
from inframind.bench.family import Draft, Families
from inframind.categories.cloudformation.families.checks import asked, holds, refers
from inframind.categories.cloudformation.families.stacks import TRUST
from inframind.types import Check

FAMILIES = Families("cloudformation")
family = FAMILIES.family

BALANCER = """Parameters:
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
    answer = BALANCER.format(name=name, port=port, path=path)
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

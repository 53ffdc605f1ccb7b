"""Families of whole applications: a service in containers, a website of files."""

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


def fargate(cluster: str, name: str, image: str, port: str | int, count: int) -> str:
    """A cluster with one service on Fargate, its role and its logs."""
    return f"""Parameters:
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


@family("service", difficulty=5)
def service(draw: Draw) -> Draft:
    cluster, name, image, port, count = (
        draw.name(),
        draw.name(),
        f"{draw.word()}:1.4",
        draw.port(),
        draw.integer(2, 6),
    )
    answer = fargate(cluster, name, image, port, count)
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

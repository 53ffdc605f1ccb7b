"""Families of one resource."""

import json

from inframind.bench.draw import Draw
from inframind.bench.family import Draft, Families
from inframind.categories.cloudformation.families.checks import asked, holds, refers

FAMILIES = Families("cloudformation")
family = FAMILIES.family


@family("bucket", difficulty=1)
def bucket(draw: Draw) -> Draft:
    name = draw.name()
    answer = f"Resources:\n  Bucket:\n    Type: AWS::S3::Bucket\n    Properties:\n      BucketName: {name}\n      VersioningConfiguration:\n        Status: Enabled\n"
    fields = {"BucketName": name, "VersioningConfiguration": {"Status": "Enabled"}}
    return Draft(
        wordings=(
            f"Write a CloudFormation template with the S3 bucket {name}; versioning is enabled.",
            f"cloudformation: S3 bucket {name}, versioned",
            f"We need a bucket named {name} that keeps old versions of its objects. Answer with a CloudFormation template.",
        ),
        answer=answer,
        reasoning=(f"AWS::S3::Bucket {name}", "VersioningConfiguration with Status Enabled"),
        checks=asked(
            "AWS::S3::Bucket",
            {"BucketName": name},
            {"VersioningConfiguration.Status": "Enabled"},
            gate=True,
        ),
        variant=json.dumps(
            {"Resources": {"Files": {"Type": "AWS::S3::Bucket", "Properties": fields}}}, indent=2
        ),
        habits=(("Status: Enabled", "Status: true"), ("VersioningConfiguration", "Versioning")),
    )


@family("queue", difficulty=1)
def queue(draw: Draw) -> Draft:
    name, timeout, retention = draw.name(), draw.number(110, 900), draw.number(1000, 99000)
    answer = f"Resources:\n  Queue:\n    Type: AWS::SQS::Queue\n    Properties:\n      QueueName: {name}\n      VisibilityTimeout: {timeout}\n      MessageRetentionPeriod: {retention}\n"
    return Draft(
        wordings=(
            f"Write a CloudFormation template for the SQS queue {name} with a visibility timeout of {timeout} seconds that keeps messages for {retention} seconds.",
            f"cloudformation: SQS {name}, visibility {timeout} s, retention {retention} s",
            f"Messages in the queue {name} stay hidden for {timeout} seconds and are kept for {retention}. CloudFormation, SQS.",
        ),
        answer=answer,
        reasoning=(
            f"AWS::SQS::Queue {name}",
            f"VisibilityTimeout {timeout}, MessageRetentionPeriod {retention}",
        ),
        checks=asked(
            "AWS::SQS::Queue",
            {"QueueName": name},
            {"VisibilityTimeout": timeout, "MessageRetentionPeriod": retention},
            gate=True,
        ),
        variant=answer.replace(f": {timeout}", f': "{timeout}"').replace("  Queue:", "  Work:"),
        habits=(("VisibilityTimeout", "VisibilityTimeoutSeconds"), ("QueueName", "Name")),
    )


@family("topic", difficulty=1, held_out=True)
def topic(draw: Draw) -> Draft:
    name, user, host = draw.name(), draw.word(), draw.domain()
    answer = f"Resources:\n  Topic:\n    Type: AWS::SNS::Topic\n    Properties:\n      TopicName: {name}\n      Subscription:\n        - Protocol: email\n          Endpoint: {user}@{host}\n"
    return Draft(
        wordings=(
            f"Write a CloudFormation template for the SNS topic {name} to which {user}@{host} subscribes by email.",
            f"cloudformation: SNS topic {name}, email subscription {user}@{host}",
            f"Messages of the topic {name} go to {user}@{host} by mail. Use SNS and CloudFormation.",
        ),
        answer=answer,
        reasoning=(f"AWS::SNS::Topic {name}", f"subscription email {user}@{host}"),
        checks=(
            *asked("AWS::SNS::Topic", {"TopicName": name}, gate=True),
            holds(
                "AWS::SNS::Topic",
                "Subscription",
                {"Protocol": "email", "Endpoint": f"{user}@{host}"},
            ),
        ),
        variant=answer.replace(
            "        - Protocol: email\n          Endpoint: ",
            "        - Protocol: email\n          Endpoint: !Sub ",
        ),
        habits=(("Subscription:", "Subscriptions:"), ("TopicName", "Name")),
    )


@family("log-group", difficulty=1)
def log_group(draw: Draw) -> Draft:
    name, days = draw.path(), draw.choice((7, 14, 30, 90, 365))
    answer = f"Resources:\n  Logs:\n    Type: AWS::Logs::LogGroup\n    DeletionPolicy: Retain\n    Properties:\n      LogGroupName: {name}\n      RetentionInDays: {days}\n"
    return Draft(
        wordings=(
            f"Write a CloudFormation template for the log group {name} that keeps logs for {days} days and stays when the stack is deleted.",
            f"cloudformation: log group {name}, retention {days} days, DeletionPolicy Retain",
            f"The CloudWatch log group {name} keeps {days} days of logs and outlives its stack.",
        ),
        answer=answer,
        reasoning=(f"AWS::Logs::LogGroup {name} for {days} days", "DeletionPolicy Retain"),
        checks=asked(
            "AWS::Logs::LogGroup",
            {"LogGroupName": name},
            {"RetentionInDays": days, "DeletionPolicy": "Retain"},
            gate=True,
        ),
        variant=f"Parameters:\n  Days:\n    Type: Number\n    Default: {days}\n"
        + answer.replace(f"RetentionInDays: {days}", "RetentionInDays: !Ref Days"),
        habits=(
            ("RetentionInDays", "Retention"),
            ("DeletionPolicy: Retain", "DeletionPolicy: Keep"),
        ),
    )


@family("setting", difficulty=1)
def setting(draw: Draw) -> Draft:
    name, value = draw.path(), draw.word()
    answer = f"Resources:\n  Setting:\n    Type: AWS::SSM::Parameter\n    Properties:\n      Name: {name}\n      Type: String\n      Value: {value}\n"
    return Draft(
        wordings=(
            f"Write a CloudFormation template for the SSM parameter {name} of type String with the value {value}.",
            f"cloudformation: SSM parameter {name} = {value}, String",
            f"Store {value} in the Parameter Store under {name} (String) with CloudFormation.",
        ),
        answer=answer,
        reasoning=(f"AWS::SSM::Parameter {name}", f"String {value}"),
        checks=asked(
            "AWS::SSM::Parameter", {"Name": name}, {"Type": "String", "Value": value}, gate=True
        ),
        variant=answer.replace(f"Value: {value}", f'Value: !Join ["", [{value}]]'),
        habits=(("      Type: String\n", ""), ("      Name:", "      ParameterName:")),
    )


@family("table", difficulty=2)
def table(draw: Draw) -> Draft:
    name, key, sort = draw.name(), draw.word(), draw.word()
    answer = f"""Resources:
  Table:
    Type: AWS::DynamoDB::Table
    Properties:
      TableName: {name}
      BillingMode: PAY_PER_REQUEST
      AttributeDefinitions:
        - AttributeName: {key}
          AttributeType: S
        - AttributeName: {sort}
          AttributeType: N
      KeySchema:
        - AttributeName: {key}
          KeyType: HASH
        - AttributeName: {sort}
          KeyType: RANGE
"""
    kind = "AWS::DynamoDB::Table"
    return Draft(
        wordings=(
            f"Write a CloudFormation template for the DynamoDB table {name}, billed per request, with the hash key {key} (a string) and the range key {sort} (a number).",
            f"cloudformation: DynamoDB {name}, PAY_PER_REQUEST, hash {key} S, range {sort} N",
            f"The table {name} is found by {key} (text) and sorted by {sort} (number); we pay per request. DynamoDB, CloudFormation.",
        ),
        answer=answer,
        reasoning=(f"AWS::DynamoDB::Table {name}, PAY_PER_REQUEST", f"hash {key}, range {sort}"),
        checks=(
            *asked(kind, {"TableName": name}, {"BillingMode": "PAY_PER_REQUEST"}, gate=True),
            holds(kind, "KeySchema", {"AttributeName": key, "KeyType": "HASH"}),
            holds(kind, "KeySchema", {"AttributeName": sort, "KeyType": "RANGE"}),
            holds(kind, "AttributeDefinitions", {"AttributeName": key, "AttributeType": "S"}),
            holds(kind, "AttributeDefinitions", {"AttributeName": sort, "AttributeType": "N"}),
        ),
        variant=answer.replace("  Table:\n", "  Data:\n").replace(
            f"AttributeName: {key}\n", f'AttributeName: "{key}"\n'
        ),
        habits=(("BillingMode: PAY_PER_REQUEST", "BillingMode: ON_DEMAND"), ("KeySchema", "Keys")),
    )


@family("private-bucket", difficulty=2)
def private_bucket(draw: Draw) -> Draft:
    name, days = draw.name(), draw.number(110, 900)
    answer = f"""Resources:
  Bucket:
    Type: AWS::S3::Bucket
    Properties:
      BucketName: {name}
      BucketEncryption:
        ServerSideEncryptionConfiguration:
          - ServerSideEncryptionByDefault:
              SSEAlgorithm: AES256
      PublicAccessBlockConfiguration:
        BlockPublicAcls: true
        BlockPublicPolicy: true
        IgnorePublicAcls: true
        RestrictPublicBuckets: true
      LifecycleConfiguration:
        Rules:
          - Status: Enabled
            ExpirationInDays: {days}
"""
    kind = "AWS::S3::Bucket"
    blocked = dict.fromkeys(
        ("BlockPublicAcls", "BlockPublicPolicy", "IgnorePublicAcls", "RestrictPublicBuckets"), True
    )
    return Draft(
        wordings=(
            f"Write a CloudFormation template for the bucket {name}: AES256 encryption, all four public access blocks, and a lifecycle rule that expires objects after {days} days.",
            f"cloudformation: S3 {name}, AES256, block all public access, expire after {days} days",
            f"{name} is a private S3 bucket, encrypted with AES256, closed to the public in every way, and its objects go after {days} days.",
        ),
        answer=answer,
        reasoning=(
            f"bucket {name} with AES256",
            "four public access blocks",
            f"lifecycle rule: {days} days",
        ),
        checks=(
            *asked(
                kind, {"BucketName": name}, {"PublicAccessBlockConfiguration": blocked}, gate=True
            ),
            holds(
                kind,
                "BucketEncryption.ServerSideEncryptionConfiguration",
                {"ServerSideEncryptionByDefault": {"SSEAlgorithm": "AES256"}},
            ),
            holds(
                kind,
                "LifecycleConfiguration.Rules",
                {"Status": "Enabled", "ExpirationInDays": days},
            ),
        ),
        variant=answer.replace(": true", ': "true"').replace(
            "Status: Enabled\n", "Id: expire\n            Status: Enabled\n"
        ),
        habits=(("        RestrictPublicBuckets: true\n", ""), ("ExpirationInDays", "Expiration")),
    )


@family("security-group", difficulty=2)
def security_group(draw: Draw) -> Draft:
    text, port, source = draw.name(), draw.port(), draw.cidr()
    answer = f"""Parameters:
  VpcId:
    Type: AWS::EC2::VPC::Id
Resources:
  Group:
    Type: AWS::EC2::SecurityGroup
    Properties:
      GroupDescription: {text}
      VpcId: !Ref VpcId
      SecurityGroupIngress:
        - IpProtocol: tcp
          FromPort: {port}
          ToPort: {port}
          CidrIp: {source}
"""
    kind = "AWS::EC2::SecurityGroup"
    return Draft(
        wordings=(
            f"Write a CloudFormation template with the parameter VpcId (a VPC id) and a security group in that VPC, described as {text}, which lets tcp {port} in from {source}.",
            f"cloudformation: parameter VpcId AWS::EC2::VPC::Id; security group {text}, ingress tcp {port} from {source}",
            f"A security group ({text}) for a VPC given as the parameter VpcId; only {source} may reach tcp port {port}.",
        ),
        answer=answer,
        reasoning=("parameter VpcId", f"security group {text}: tcp {port} from {source}"),
        checks=(
            *asked(kind, {"GroupDescription": text}, gate=True),
            holds(
                kind,
                "SecurityGroupIngress",
                {"IpProtocol": "tcp", "FromPort": port, "ToPort": port, "CidrIp": source},
            ),
            refers(kind, "VpcId", "parameter"),
            *asked("parameter", {"Type": "AWS::EC2::VPC::Id"}),
        ),
        variant=answer.replace("!Ref VpcId", '!Sub "${VpcId}"').replace(
            f"FromPort: {port}", f'FromPort: "{port}"'
        ),
        habits=(
            ("      VpcId: !Ref VpcId\n", "      VpcId: VpcId\n"),
            ("SecurityGroupIngress", "Ingress"),
        ),
    )


@family("instance", difficulty=2)
def instance(draw: Draw) -> Draft:
    image, kind, name = (
        f"ami-{draw.hexadecimal(17)}",
        draw.choice(("t3.small", "t3.medium", "m6i.large")),
        draw.name(),
    )
    answer = f"""Parameters:
  InstanceType:
    Type: String
    Default: {kind}
    AllowedValues: [t3.small, t3.medium, m6i.large]
Resources:
  Server:
    Type: AWS::EC2::Instance
    Properties:
      ImageId: {image}
      InstanceType: !Ref InstanceType
      Tags:
        - Key: Name
          Value: {name}
"""
    return Draft(
        wordings=(
            f"Write a CloudFormation template for an EC2 instance of {image}, tagged Name={name}, whose type is the parameter InstanceType: t3.small, t3.medium or m6i.large, {kind} by default.",
            f"cloudformation: EC2 {image}, tag Name={name}, parameter InstanceType [t3.small, t3.medium, m6i.large] default {kind}",
            f"Run {image} on EC2 as {name} (tag Name). The parameter InstanceType allows t3.small, t3.medium and m6i.large and is {kind} if nobody says otherwise.",
        ),
        answer=answer,
        reasoning=(
            f"parameter InstanceType, default {kind}",
            f"instance of {image} with Name {name}",
        ),
        checks=(
            *asked("AWS::EC2::Instance", {"ImageId": image}, {"InstanceType": kind}, gate=True),
            holds("AWS::EC2::Instance", "Tags", {"Key": "Name", "Value": name}),
            *asked(
                "parameter",
                {"Default": kind, "Type": "String"},
                {"AllowedValues": ["t3.small", "t3.medium", "m6i.large"]},
            ),
        ),
        variant=answer.replace(
            "Type: String\n    Default", "Type: String\n    Description: size\n    Default"
        ).replace(f"Value: {name}", f"Value: !Sub {name}"),
        habits=(("AllowedValues", "AllowedTypes"), (f"    Default: {kind}\n", "")),
    )


@family("repository", difficulty=2, held_out=True)
def repository(draw: Draw) -> Draft:
    name, owner = draw.name(), draw.word()
    answer = f"""Resources:
  Repository:
    Type: AWS::ECR::Repository
    Properties:
      RepositoryName: {name}
      ImageTagMutability: IMMUTABLE
      ImageScanningConfiguration:
        ScanOnPush: true
      Tags:
        - Key: owner
          Value: {owner}
Outputs:
  Uri:
    Value: !GetAtt Repository.RepositoryUri
"""
    kind = "AWS::ECR::Repository"
    return Draft(
        wordings=(
            f"Write a CloudFormation template for the ECR repository {name} with immutable tags, scanning on push and the tag owner={owner}; output its URI as Uri.",
            f"cloudformation: ECR {name}, IMMUTABLE, scan on push, tag owner={owner}, output Uri",
            f"Container images go to the ECR repository {name} of {owner} (tag owner). Tags never change, every push is scanned, and the output Uri says where it is.",
        ),
        answer=answer,
        reasoning=(
            f"AWS::ECR::Repository {name}, IMMUTABLE, ScanOnPush",
            f"tag owner {owner}",
            "output Uri",
        ),
        checks=(
            *asked(
                kind,
                {"RepositoryName": name},
                {"ImageTagMutability": "IMMUTABLE", "ImageScanningConfiguration.ScanOnPush": True},
                gate=True,
            ),
            holds(kind, "Tags", {"Key": "owner", "Value": owner}),
            refers("output", "Value", kind),
        ),
        variant=answer.replace(
            "!GetAtt Repository.RepositoryUri", '!Sub "${Repository.RepositoryUri}"'
        ),
        habits=(
            ("IMMUTABLE", "Immutable"),
            ("!GetAtt Repository.RepositoryUri", "!GetAtt Repository.Uri"),
        ),
    )


@family("alarm", difficulty=2)
def alarm(draw: Draw) -> Draft:
    name, queue, limit = draw.name(), draw.name(), draw.number(110, 9000)
    answer = f"""Resources:
  Alarm:
    Type: AWS::CloudWatch::Alarm
    Properties:
      AlarmName: {name}
      Namespace: AWS/SQS
      MetricName: ApproximateNumberOfMessagesVisible
      Dimensions:
        - Name: QueueName
          Value: {queue}
      Statistic: Maximum
      Period: 300
      EvaluationPeriods: 2
      Threshold: {limit}
      ComparisonOperator: GreaterThanThreshold
"""
    kind = "AWS::CloudWatch::Alarm"
    given = {
        "Namespace": "AWS/SQS", "MetricName": "ApproximateNumberOfMessagesVisible", "Statistic": "Maximum", "Period": 300,
        "EvaluationPeriods": 2, "Threshold": limit, "ComparisonOperator": "GreaterThanThreshold",
    }  # fmt: skip
    return Draft(
        wordings=(
            f"Write a CloudFormation template for the CloudWatch alarm {name}: the maximum of ApproximateNumberOfMessagesVisible of the SQS queue {queue} is greater than {limit} in 2 periods of 300 seconds.",
            f"cloudformation: alarm {name}: AWS/SQS ApproximateNumberOfMessagesVisible, QueueName={queue}, Maximum > {limit}, 2 x 300 s",
            f"Tell us by the alarm {name} when more than {limit} messages are visible in {queue} (AWS/SQS, ApproximateNumberOfMessagesVisible, Maximum, two periods of 300 seconds, GreaterThanThreshold).",
        ),
        answer=answer,
        reasoning=(
            f"alarm {name} on AWS/SQS for {queue}",
            f"Maximum over {limit} in 2 periods of 300 s",
        ),
        checks=(
            *asked(kind, {"AlarmName": name}, given, gate=True),
            holds(kind, "Dimensions", {"Name": "QueueName", "Value": queue}),
        ),
        variant=answer.replace("Period: 300", 'Period: "300"').replace(
            "  Alarm:\n", "  TooMany:\n"
        ),
        habits=(("GreaterThanThreshold", ">"), ("EvaluationPeriods: 2\n", "Evaluations: 2\n")),
    )

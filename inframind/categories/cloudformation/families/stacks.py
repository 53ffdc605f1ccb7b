"""Families of a few resources that refer to one another."""

from inframind.bench.draw import Draw
from inframind.bench.family import Draft, Families
from inframind.categories.cloudformation.families.checks import asked, holds, refers
from inframind.types import Check

FAMILIES = Families("cloudformation")
family = FAMILIES.family

TRUST = """    Type: AWS::IAM::Role
    Properties:
      AssumeRolePolicyDocument:
        Version: "2012-10-17"
        Statement:
          - Effect: Allow
            Principal:
              Service: {service}.amazonaws.com
            Action: sts:AssumeRole
"""
"""A role that one service of AWS may take."""


@family("dead-letters", difficulty=3)
def dead_letters(draw: Draw) -> Draft:
    name, dead, tries = draw.name(), draw.name(), draw.integer(3, 9)
    answer = f"""Resources:
  DeadLetters:
    Type: AWS::SQS::Queue
    Properties:
      QueueName: {dead}
  Queue:
    Type: AWS::SQS::Queue
    Properties:
      QueueName: {name}
      RedrivePolicy:
        deadLetterTargetArn: !GetAtt DeadLetters.Arn
        maxReceiveCount: {tries}
"""
    return Draft(
        wordings=(
            f"Write a CloudFormation template with two SQS queues: messages of {name} that were received {tries} times go to {dead}.",
            f"cloudformation: SQS {name}, dead letters to SQS {dead} after {tries} receives",
            f"{dead} is the dead-letter queue of {name}: a message moves there when it was received {tries} times. SQS with CloudFormation.",
        ),
        answer=answer,
        reasoning=(f"queue {dead}", f"queue {name} with a RedrivePolicy to it after {tries}"),
        checks=(
            *asked("AWS::SQS::Queue", {"QueueName": dead}),
            *asked("AWS::SQS::Queue", {"QueueName": name}, {"RedrivePolicy.maxReceiveCount": tries}, gate=True),
            Check.model_validate(
                {
                    "op": "references", "kind": "AWS::SQS::Queue", "where": {"QueueName": name}, "id": "redrive",
                    "path": "RedrivePolicy.deadLetterTargetArn", "to": {"kind": "AWS::SQS::Queue", "where": {"QueueName": dead}},
                }
            ),
        ),
        variant=answer.replace("!GetAtt DeadLetters.Arn", "{'Fn::GetAtt': [DeadLetters, Arn]}"),
        habits=(("!GetAtt DeadLetters.Arn", "!GetAtt DeadLetters.ARN"), ("maxReceiveCount:", "maxRetries:")),
    )  # fmt: skip


@family("function", difficulty=3)
def function(draw: Draw) -> Draft:
    name, memory, key, value = (
        draw.name(),
        draw.choice((128, 256, 512)),
        draw.choice(("MODE", "REGION", "TIER")),
        draw.word(),
    )
    arn = "arn:aws:iam::aws:policy/service-role/AWSLambdaBasicExecutionRole"
    answer = f"""Resources:
  Role:
{TRUST.format(service="lambda")}      ManagedPolicyArns:
        - {arn}
  Function:
    Type: AWS::Lambda::Function
    Properties:
      FunctionName: {name}
      Runtime: python3.12
      Handler: index.handler
      MemorySize: {memory}
      Role: !GetAtt Role.Arn
      Environment:
        Variables:
          {key}: {value}
      Code:
        ZipFile: "def handler(event, context): return event"
"""
    kind = "AWS::Lambda::Function"
    given = {"Runtime": "python3.12", "MemorySize": memory, f"Environment.Variables.{key}": value}
    return Draft(
        wordings=(
            f"Write a CloudFormation template for the Lambda function {name} (python3.12, {memory} MB, inline code, the variable {key}={value}) with a role that Lambda may assume and AWSLambdaBasicExecutionRole.",
            f"cloudformation: Lambda {name}, python3.12, {memory} MB, inline, {key}={value}; role for lambda.amazonaws.com with AWSLambdaBasicExecutionRole",
            f"The function {name} has {memory} MB, the runtime python3.12, code in the template and {key} set to {value}. Its own role has the policy AWSLambdaBasicExecutionRole.",
        ),
        answer=answer,
        reasoning=(
            "role for lambda.amazonaws.com",
            f"function {name}: {memory} MB, {key}={value}, role by GetAtt",
        ),
        checks=(
            *asked(kind, {"FunctionName": name}, given, gate=True),
            Check(op="exists", kind=kind, path="Code.ZipFile", id="code"),
            refers(kind, "Role", "AWS::IAM::Role"),
            Check(
                op="matches",
                kind="AWS::IAM::Role",
                path="ManagedPolicyArns | [0] | to_string(@)",
                value=".*AWSLambdaBasicExecutionRole.*",
                id="policy",
            ),
        ),
        variant=answer.replace("!GetAtt Role.Arn", '!Sub "${Role.Arn}"').replace(
            "arn:aws:iam", "!Sub arn:${AWS::Partition}:iam"
        ),
        habits=(("!GetAtt Role.Arn", "!Ref Role.Arn"), ("python3.12", "python2.7")),
    )


@family("subscription", difficulty=3)
def subscription(draw: Draw) -> Draft:
    topic, queue = draw.name(), draw.name()
    answer = f"""Resources:
  Topic:
    Type: AWS::SNS::Topic
    Properties:
      TopicName: {topic}
  Queue:
    Type: AWS::SQS::Queue
    Properties:
      QueueName: {queue}
  Subscription:
    Type: AWS::SNS::Subscription
    Properties:
      TopicArn: !Ref Topic
      Protocol: sqs
      Endpoint: !GetAtt Queue.Arn
      RawMessageDelivery: true
"""
    kind = "AWS::SNS::Subscription"
    return Draft(
        wordings=(
            f"Write a CloudFormation template where the SQS queue {queue} subscribes to the SNS topic {topic} with raw message delivery.",
            f"cloudformation: SNS {topic} -> SQS {queue}, AWS::SNS::Subscription, RawMessageDelivery",
            f"What is published to the topic {topic} arrives raw in the queue {queue}. Both and the subscription stand in one template.",
        ),
        answer=answer,
        reasoning=(f"topic {topic}, queue {queue}", "subscription sqs with raw delivery"),
        checks=(
            *asked("AWS::SNS::Topic", {"TopicName": topic}),
            *asked("AWS::SQS::Queue", {"QueueName": queue}),
            *asked(kind, {"Protocol": "sqs"}, {"RawMessageDelivery": True}, gate=True),
            refers(kind, "TopicArn", "AWS::SNS::Topic"),
            refers(kind, "Endpoint", "AWS::SQS::Queue"),
        ),
        variant=answer.replace("!Ref Topic", "!GetAtt Topic.TopicArn"),
        habits=(("!GetAtt Queue.Arn", "!Ref Queues"), ("RawMessageDelivery", "RawDelivery")),
    )


@family("subnets", difficulty=3)
def subnets(draw: Draw) -> Draft:
    name, base = draw.name(), draw.integer(10, 250)
    network, first, second = f"10.{base}.0.0/16", f"10.{base}.1.0/24", f"10.{base}.2.0/24"
    subnet = '  {id}:\n    Type: AWS::EC2::Subnet\n    Properties:\n      VpcId: !Ref Vpc\n      CidrBlock: {cidr}\n      AvailabilityZone: !Select [{zone}, !GetAZs ""]\n'
    answer = (
        f"Resources:\n  Vpc:\n    Type: AWS::EC2::VPC\n    Properties:\n      CidrBlock: {network}\n      EnableDnsHostnames: true\n      Tags:\n        - Key: Name\n          Value: {name}\n"
        + subnet.format(id="First", cidr=first, zone=0)
        + subnet.format(id="Second", cidr=second, zone=1)
    )
    kind = "AWS::EC2::Subnet"
    return Draft(
        wordings=(
            f"Write a CloudFormation template for the VPC {network} with DNS host names and the tag Name={name}, and two subnets in the first two availability zones of the region: {first} and {second}.",
            f"cloudformation: VPC {network} DNS host names, Name={name}; subnets {first}, {second} in AZ 0 and 1",
            f"The network {name} (tag Name) is {network} with DNS host names; {first} lies in the region's first zone, {second} in its second.",
        ),
        answer=answer,
        reasoning=(
            f"VPC {network} named {name}",
            f"subnets {first} and {second} in two zones by GetAZs",
        ),
        checks=(
            *asked(
                "AWS::EC2::VPC", {"CidrBlock": network}, {"EnableDnsHostnames": True}, gate=True
            ),
            holds("AWS::EC2::VPC", "Tags", {"Key": "Name", "Value": name}),
            *asked(kind, {"CidrBlock": first}),
            *asked(kind, {"CidrBlock": second}),
            Check.model_validate(
                {
                    "op": "references",
                    "kind": kind,
                    "path": "VpcId",
                    "to": {"kind": "AWS::EC2::VPC"},
                    "every": True,
                    "id": "vpc",
                }
            ),
            Check(
                op="matches",
                kind=kind,
                path="AvailabilityZone | to_string(@)",
                value=".*Fn::GetAZs.*",
                every=True,
                id="zones",
            ),
        ),
        variant=answer.replace('!GetAZs ""', "!GetAZs {Ref: AWS::Region}").replace(
            "  First:", "  SubnetOne:"
        ),
        habits=(
            ("EnableDnsHostnames", "EnableDnsHostNames"),
            ('!Select [1, !GetAZs ""]', "eu-west-1b"),
        ),
    )


@family("condition", difficulty=3, held_out=True)
def condition(draw: Draw) -> Draft:
    name, logs = draw.name(), draw.name()
    answer = f"""Parameters:
  Environment:
    Type: String
    Default: staging
    AllowedValues: [staging, production]
Conditions:
  IsProduction: !Equals [!Ref Environment, production]
Resources:
  Data:
    Type: AWS::S3::Bucket
    Properties:
      BucketName: {name}
  Logs:
    Type: AWS::S3::Bucket
    Condition: IsProduction
    Properties:
      BucketName: {logs}
"""
    kind = "AWS::S3::Bucket"
    return Draft(
        wordings=(
            f"Write a CloudFormation template with the parameter Environment (staging or production, staging by default): the bucket {name} always exists, the bucket {logs} only in production, by the condition IsProduction.",
            f"cloudformation: parameter Environment [staging, production] default staging; condition IsProduction; bucket {name}; bucket {logs} if IsProduction",
            f"The bucket {name} is in every stack, {logs} only where the parameter Environment is production (allowed: staging, production; default staging). Call the condition IsProduction.",
        ),
        answer=answer,
        reasoning=(
            "parameter Environment",
            "condition IsProduction",
            f"bucket {name}, bucket {logs} with the condition",
        ),
        checks=(
            *asked("parameter", {"Default": "staging", "AllowedValues": ["staging", "production"]}),
            Check(op="exists", kind="condition", name="IsProduction", id="condition"),
            *asked(kind, {"BucketName": name}, gate=True),
            Check(
                op="absent", kind=kind, where={"BucketName": name}, path="Condition", id="always"
            ),
            *asked(kind, {"BucketName": logs}, {"Condition": "IsProduction"}),
        ),
        variant=answer.replace(
            "!Equals [!Ref Environment, production]", '!Not [!Equals [!Ref Environment, "staging"]]'
        ),
        habits=(
            ("    Condition: IsProduction\n", ""),
            (
                "  Data:\n    Type: AWS::S3::Bucket\n",
                "  Data:\n    Type: AWS::S3::Bucket\n    Condition: IsProduction\n",
            ),
            ("!Equals [!Ref Environment, production]", "!Equals [staging, production]"),
        ),
    )


@family("stream", difficulty=3)
def stream(draw: Draw) -> Draft:
    table, key, function, size = draw.name(), draw.word(), draw.name(), draw.integer(20, 90)
    answer = f"""Parameters:
  FunctionName:
    Type: String
    Default: {function}
Resources:
  Table:
    Type: AWS::DynamoDB::Table
    Properties:
      TableName: {table}
      BillingMode: PAY_PER_REQUEST
      AttributeDefinitions:
        - AttributeName: {key}
          AttributeType: S
      KeySchema:
        - AttributeName: {key}
          KeyType: HASH
      StreamSpecification:
        StreamViewType: NEW_AND_OLD_IMAGES
  Source:
    Type: AWS::Lambda::EventSourceMapping
    Properties:
      EventSourceArn: !GetAtt Table.StreamArn
      FunctionName: !Ref FunctionName
      StartingPosition: LATEST
      BatchSize: {size}
"""
    kind = "AWS::Lambda::EventSourceMapping"
    return Draft(
        wordings=(
            f"Write a CloudFormation template: the DynamoDB table {table} (on demand, hash key {key}, a string) streams new and old images to the Lambda function whose name is the parameter FunctionName, {function} by default, from LATEST in batches of {size}.",
            f"cloudformation: DynamoDB {table}, PAY_PER_REQUEST, hash {key} S, stream NEW_AND_OLD_IMAGES -> event source mapping, parameter FunctionName default {function}, LATEST, batch {size}",
            f"Changes of {table} (key {key}, text, pay per request) go with both images to a function in batches of {size}, from the latest on; its name is the parameter FunctionName with the default {function}.",
        ),
        answer=answer,
        reasoning=(
            f"table {table} with a stream",
            f"event source mapping of {size} to the parameter FunctionName ({function})",
        ),
        checks=(
            *asked(
                "AWS::DynamoDB::Table",
                {"TableName": table},
                {
                    "StreamSpecification.StreamViewType": "NEW_AND_OLD_IMAGES",
                    "BillingMode": "PAY_PER_REQUEST",
                },
                gate=True,
            ),
            holds("AWS::DynamoDB::Table", "KeySchema", {"AttributeName": key, "KeyType": "HASH"}),
            *asked(
                kind, {"StartingPosition": "LATEST"}, {"BatchSize": size, "FunctionName": function}
            ),
            refers(kind, "EventSourceArn", "AWS::DynamoDB::Table"),
            *asked("parameter", {"Default": function}),
        ),
        variant=answer.replace("!GetAtt Table.StreamArn", "{'Fn::GetAtt': [Table, StreamArn]}"),
        habits=(
            ("Table.StreamArn", "Table.Stream"),
            ("StartingPosition: LATEST", "StartingPosition: latest"),
        ),
    )

"""Task families for SageMaker's requests and pipeline definitions."""

import json
from typing import Any

from inframind.bench.draw import Draw
from inframind.bench.family import Draft, contains, equals, exists, identity, references
from inframind.categories.mlops.families.base import family

INSTANCES = ("ml.m5.large", "ml.m5.xlarge", "ml.c5.xlarge", "ml.g4dn.xlarge", "ml.p3.2xlarge")
ROLE = "arn:aws:iam::123456789012:role/"
REGISTRY = "123456789012.dkr.ecr.eu-west-1.amazonaws.com/"


def pretty(data: Any) -> str:
    """A request as a file."""
    return json.dumps(data, indent=2) + "\n"


def other(data: Any) -> str:
    """The same request, written otherwise."""
    return json.dumps(data, sort_keys=True) + "\n"


def training(image: str, bucket: str, instance: Any, count: int, role: str) -> dict[str, Any]:
    """The body of a training job, without its name."""
    return {
        "RoleArn": ROLE + role,
        "AlgorithmSpecification": {"TrainingImage": REGISTRY + image, "TrainingInputMode": "File"},
        "OutputDataConfig": {"S3OutputPath": f"s3://{bucket}/models"},
        "ResourceConfig": {"InstanceType": instance, "InstanceCount": count, "VolumeSizeInGB": 30},
        "StoppingCondition": {"MaxRuntimeInSeconds": 3600},
    }


@family("sagemaker-training", difficulty=3)
def sagemaker_training(draw: Draw) -> Draft:
    name, repository, bucket, role = draw.name(), draw.word(), draw.name(), draw.word()
    instance, count = draw.choice(INSTANCES), draw.integer(1, 4)
    data = {"TrainingJobName": name} | training(f"{repository}:1.0", bucket, instance, count, role)
    return Draft(
        wordings=(
            f"Write the CreateTrainingJob request (JSON) for {name}: image {REGISTRY}{repository}:1.0 in File mode, role {ROLE}{role}, output to "
            f"s3://{bucket}/models, {count} x {instance} with 30 GB, one hour at most.",
            f"sagemaker training job {name} json: {REGISTRY}{repository}:1.0 (File), {ROLE}{role}, s3://{bucket}/models, {count} {instance}, 30 GB, 3600 s",
            f"Request body for `aws sagemaker create-training-job`.\n---\nname: {name}\nimage: {REGISTRY}{repository}:1.0, input mode File\nrole: {ROLE}{role}\n"
            f"output: s3://{bucket}/models\nmachines: {count} x {instance}, 30 GB\nlimit: 3600 seconds",
        ),
        answer=pretty(data),
        reasoning=(
            f"TrainingJob {name}",
            f"{count} x {instance}, 30 GB",
            f"output s3://{bucket}/models, 3600 s",
        ),
        checks=(
            identity("TrainingJob", name),
            equals("TrainingJob", name, "AlgorithmSpecification", data["AlgorithmSpecification"]),
            equals("TrainingJob", name, "RoleArn", ROLE + role),
            equals("TrainingJob", name, "OutputDataConfig.S3OutputPath", f"s3://{bucket}/models"),
            equals("TrainingJob", name, "ResourceConfig", data["ResourceConfig"]),
            equals("TrainingJob", name, "StoppingCondition.MaxRuntimeInSeconds", 3600),
        ),
        variant=other(data),
        habits=(('"OutputDataConfig"', '"OutputPath"'), ('"InstanceCount": ', '"Instances": ')),
    )


@family("sagemaker-model", difficulty=1)
def sagemaker_model(draw: Draw) -> Draft:
    name, repository, bucket, role = draw.name(), draw.word(), draw.name(), draw.word()
    container = {
        "Image": f"{REGISTRY}{repository}:1.0",
        "ModelDataUrl": f"s3://{bucket}/model.tar.gz",
    }
    data = {"ModelName": name, "ExecutionRoleArn": ROLE + role, "PrimaryContainer": container}
    return Draft(
        wordings=(
            f"Write the CreateModel request (JSON) for the SageMaker model {name}: image {container['Image']}, data {container['ModelDataUrl']}, "
            f"role {ROLE}{role}.",
            f"sagemaker create-model json: {name}, {container['Image']}, {container['ModelDataUrl']}, {ROLE}{role}",
            f"Register the artefact {container['ModelDataUrl']} as the SageMaker model {name}; it is served by {container['Image']} under {ROLE}{role}.",
        ),
        answer=pretty(data),
        reasoning=(f"Model {name}", "PrimaryContainer with Image and ModelDataUrl"),
        checks=(
            identity("Model", name),
            equals("Model", name, "PrimaryContainer.Image", container["Image"]),
            equals("Model", name, "PrimaryContainer.ModelDataUrl", container["ModelDataUrl"]),
            equals("Model", name, "ExecutionRoleArn", ROLE + role),
        ),
        variant=other(data),
        habits=(('"ExecutionRoleArn"', '"RoleArn"'), ('"Image": ', '"ImageUri": ')),
    )


@family("sagemaker-endpoint", difficulty=2)
def sagemaker_endpoint(draw: Draw) -> Draft:
    name, model, instance, count = (
        draw.name(),
        draw.name(),
        draw.choice(INSTANCES),
        draw.integer(1, 5),
    )
    variant = {
        "VariantName": "main",
        "ModelName": model,
        "InstanceType": instance,
        "InitialInstanceCount": count,
    }
    data = {"EndpointConfigName": name, "ProductionVariants": [variant]}
    return Draft(
        wordings=(
            f"Write the CreateEndpointConfig request (JSON) {name} with one variant, main: the model {model} on {count} x {instance}.",
            f"endpoint config {name} json: variant main, model {model}, {instance}, {count} instances",
            f"SageMaker endpoint configuration {name}: the production variant main runs {model} on {count} machines of {instance}.",
        ),
        answer=pretty(data),
        reasoning=(f"EndpointConfig {name}", f"variant main: {model} on {count} x {instance}"),
        checks=(
            identity("EndpointConfig", name),
            contains("EndpointConfig", name, "ProductionVariants", variant),
        ),
        variant=other(data),
        habits=(
            ('"InitialInstanceCount"', '"InstanceCount"'),
            ('"ProductionVariants"', '"Variants"'),
        ),
    )


@family("sagemaker-pipeline", difficulty=5)
def sagemaker_pipeline(draw: Draw) -> Draft:
    train, create, repository, bucket, role = (
        draw.name(),
        draw.name(),
        draw.word(),
        draw.name(),
        draw.word(),
    )
    instance, count = draw.choice(INSTANCES), draw.integer(1, 4)
    image = f"{repository}:1.0"
    body = training(image, bucket, {"Get": "Parameters.InstanceType"}, count, role)
    container = {
        "Image": REGISTRY + image,
        "ModelDataUrl": {"Get": f"Steps.{train}.ModelArtifacts.S3ModelArtifacts"},
    }
    model = {"ExecutionRoleArn": ROLE + role, "PrimaryContainer": container}
    data = {
        "Version": "2020-12-01",
        "Parameters": [{"Name": "InstanceType", "Type": "String", "DefaultValue": instance}],
        "Steps": [
            {"Name": train, "Type": "Training", "Arguments": body},
            {"Name": create, "Type": "Model", "Arguments": model},
        ],
    }
    return Draft(
        wordings=(
            f"Write a SageMaker pipeline definition (JSON, 2020-12-01). The parameter InstanceType defaults to {instance}. The training step {train} "
            f"runs {REGISTRY}{image} under {ROLE}{role} on {count} machines of that type with 30 GB, for an hour at most, and writes to "
            f"s3://{bucket}/models. The model step {create} makes a model of the same image and role from its artefacts.",
            f"sagemaker pipeline json: parameter InstanceType={instance}; step {train} (Training, {REGISTRY}{image}, {ROLE}{role}, {count} instances, 30 GB, "
            f"3600 s, s3://{bucket}/models); step {create} (Model from {train}, same image and role)",
            f"Definition of a SageMaker pipeline.\n---\nversion: 2020-12-01\nparameter: InstanceType, a string, {instance} by default\n{train}: training, "
            f"{REGISTRY}{image}, role {ROLE}{role}, {count} x InstanceType, 30 GB, 3600 s, output s3://{bucket}/models\n"
            f"{create}: model of the artefacts of {train}, same image and role",
        ),
        answer=pretty(data),
        reasoning=(
            f"parameter InstanceType: {instance}",
            f"step {train}: Training",
            f"step {create}: Model from the artefacts of {train}",
        ),
        checks=(
            identity("step", train, Type="Training"),
            exists("step", create),
            equals("step", create, "Type", "Model"),
            equals("parameter", "InstanceType", "DefaultValue", instance),
            equals(
                "step", train, "Arguments.AlgorithmSpecification.TrainingImage", REGISTRY + image
            ),
            equals("step", train, "Arguments.RoleArn", ROLE + role),
            equals(
                "step", train, "Arguments.OutputDataConfig.S3OutputPath", f"s3://{bucket}/models"
            ),
            equals("step", train, "Arguments.ResourceConfig.InstanceCount", count),
            equals("step", create, "Arguments.PrimaryContainer.Image", REGISTRY + image),
            references("step", train, "Arguments", "parameter", "InstanceType"),
            references("step", create, "Arguments", "step", train),
        ),
        variant=other(data),
        habits=(
            ("Parameters.InstanceType", "Parameters.Instance"),
            ('"Type": "Training"', '"Type": "TrainingStep"'),
        ),
    )

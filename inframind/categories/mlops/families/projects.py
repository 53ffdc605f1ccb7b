"""Task families for MLflow projects."""

from inframind.bench.draw import Draw
from inframind.bench.family import Draft, equals, identity
from inframind.categories.mlops.families.base import family


@family("mlproject", difficulty=1)
def mlproject(draw: Draw) -> Draft:
    name, script, parameter, default = (
        draw.name(),
        draw.identifier(),
        draw.identifier(),
        draw.choice((0.1, 0.5, 0.9)),
    )
    command = f'    command: "python {script}.py --rate {{{parameter}}}"\n'
    head = f"name: {name}\npython_env: python_env.yaml\nentry_points:\n  main:\n"
    answer = (
        f"{head}    parameters:\n      {parameter}: {{type: float, default: {default}}}\n{command}"
    )
    return Draft(
        wordings=(
            f"Write an MLproject file {name} (python_env.yaml) whose entry point main runs `python {script}.py --rate` with the float parameter "
            f"{parameter}, {default} by default.",
            f"MLproject {name}: python_env.yaml, main: python {script}.py --rate {{{parameter}}}, {parameter} float default {default}",
            f"The MLflow project {name} has one entry point, main: python {script}.py --rate {{{parameter}}}. {parameter} is a float and "
            f"defaults to {default}; the environment is in python_env.yaml.",
        ),
        answer=answer,
        reasoning=(f"project {name}, python_env.yaml", f"main with {parameter}: float, {default}"),
        checks=(
            identity("project", name),
            equals("project", name, "python_env", "python_env.yaml"),
            equals(
                "entry_point",
                "main",
                f'parameters."{parameter}"',
                {"type": "float", "default": default},
            ),
            equals("entry_point", "main", "command", f"python {script}.py --rate {{{parameter}}}"),
        ),
        variant=f"{head}{command}    parameters:\n      {parameter}:\n        type: float\n        default: {default}\n",
        habits=(("entry_points:", "entrypoints:"), ("type: float", "type: number")),
    )


@family("docker-project", difficulty=2, held_out=True)
def docker_project(draw: Draw) -> Draft:
    name, image, train, check = (
        draw.name(),
        f"registry.example.com/{draw.word()}:1.0",
        draw.identifier(),
        draw.identifier(),
    )
    points = (
        f'  main:\n    parameters:\n      data: path\n    command: "python {train}.py {{data}}"\n',
        f'  check:\n    command: "python {check}.py"\n',
    )
    head = f"name: {name}\ndocker_env:\n  image: {image}\nentry_points:\n"
    return Draft(
        wordings=(
            f"Write an MLproject {name} that runs in the image {image}: main runs `python {train}.py` on the path parameter data, check runs "
            f"`python {check}.py`.",
            f"MLproject {name}: docker {image}; main: python {train}.py {{data}} (path); check: python {check}.py",
            f"MLflow project {name} in Docker ({image}) with two entry points: main (python {train}.py {{data}}, data is a path) and check "
            f"(python {check}.py).",
        ),
        answer=head + "".join(points),
        reasoning=(f"project {name} in {image}", "entry points main and check"),
        checks=(
            identity("project", name),
            equals("project", name, "docker_env.image", image),
            equals("entry_point", "main", "command", f"python {train}.py {{data}}"),
            equals("entry_point", "main", "parameters.data.type", "path"),
            equals("entry_point", "check", "command", f"python {check}.py"),
        ),
        variant=head + "".join(reversed(points)),
        habits=(("docker_env:\n  image:", "docker_image:"), ("data: path", "data: file")),
    )

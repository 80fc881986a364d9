"""Makes an account by boto3 or by the AWS CLI, from what the clients read of another: `build_clients.py boto3|cli FILE`."""

import json
import sys

import boto3
from read_cli import aws

TRUST = json.dumps({"Statement": [{"Effect": "Allow", "Principal": {"Service": "ec2.amazonaws.com"}, "Action": "sts:AssumeRole"}]})


def by_boto3(operation, **parameters):
    return getattr(boto3.client("iam"), operation)(**parameters)


def by_command_line(operation, **parameters):
    def words(name, value):
        option = "--" + "".join("-" + c.lower() if c.isupper() else c for c in name).lstrip("-")
        if isinstance(value, bool):
            return [option if value else option.replace("--", "--no-")]
        return [option, value if isinstance(value, str) else json.dumps(value)]

    flat = [word for name, value in parameters.items() for word in words(name, value)]
    return aws("iam", operation.replace("_", "-"), *flat)


def build(call, account):
    for arn, own in account["policies"]:
        made = None
        for at, document in enumerate(own["versions"]):
            text = json.dumps(document["document"])
            if at == 0:
                call("create_policy", PolicyName=own["name"], Path=own["path"], PolicyDocument=text)
            else:
                made = call("create_policy_version", PolicyArn=arn, PolicyDocument=text)["PolicyVersion"]["VersionId"]
            if document["default"] and made:
                call("set_default_policy_version", PolicyArn=arn, VersionId=made)
    for own in account["entities"]:
        kind, more = own["kind"], {}
        name = {kind.capitalize() + "Name": own["name"]}
        if own["tags"]:
            more["Tags"] = [{"Key": key, "Value": value} for key, value in own["tags"].items()]
        if own["boundary"]:
            more["PermissionsBoundary"] = own["boundary"]
        if kind == "role":
            more["AssumeRolePolicyDocument"] = TRUST
        call("create_" + kind, **name, Path=own["path"], **more)
        for policy, document in own["inline"].items():
            call(f"put_{kind}_policy", **name, PolicyName=policy, PolicyDocument=json.dumps(document))
        for policy in own["attached"]:
            call(f"attach_{kind}_policy", **name, PolicyArn=policy)
    for own in account["entities"]:
        for group in own["groups"]:
            call("add_user_to_group", UserName=own["name"], GroupName=group)


if __name__ == "__main__":
    with open(sys.argv[2]) as file:
        build({"boto3": by_boto3, "cli": by_command_line}[sys.argv[1]], json.load(file))
    print("{}")

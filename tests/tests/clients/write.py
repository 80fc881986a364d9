"""Writes by boto3 and by the AWS CLI, each to the end, and prints what is left."""

import json
import sys

import boto3
from botocore.exceptions import ClientError
from read_cli import aws

ALLOW = json.dumps({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "sqs:*", "Resource": "*"}]})
TRUST = json.dumps({"Statement": [{"Effect": "Allow", "Principal": {"AWS": "*"}, "Action": "sts:AssumeRole"}]})


def by_boto3():
    iam = boto3.client("iam")
    iam.create_user(UserName="ann", Path="/people/", Tags=[{"Key": "team", "Value": "x"}])
    iam.create_group(GroupName="ops")
    iam.create_role(RoleName="job", AssumeRolePolicyDocument=TRUST)
    iam.add_user_to_group(UserName="ann", GroupName="ops")
    arn = iam.create_policy(PolicyName="shared", PolicyDocument=ALLOW)["Policy"]["Arn"]
    version = iam.create_policy_version(PolicyArn=arn, PolicyDocument=ALLOW)["PolicyVersion"]["VersionId"]
    iam.set_default_policy_version(PolicyArn=arn, VersionId=version)
    iam.delete_policy_version(PolicyArn=arn, VersionId="v1")
    iam.put_user_policy(UserName="ann", PolicyName="p", PolicyDocument=ALLOW)
    iam.put_role_policy(RoleName="job", PolicyName="p", PolicyDocument=ALLOW)
    iam.put_group_policy(GroupName="ops", PolicyName="p", PolicyDocument=ALLOW)
    iam.attach_role_policy(RoleName="job", PolicyArn=arn)
    iam.attach_group_policy(GroupName="ops", PolicyArn=arn)
    key = iam.create_access_key(UserName="ann")["AccessKey"]["AccessKeyId"]
    iam.update_access_key(UserName="ann", AccessKeyId=key, Status="Inactive")
    assert iam.get_user_policy(UserName="ann", PolicyName="P")["PolicyDocument"]["Statement"][0]["Action"] == "sqs:*"
    try:
        iam.delete_policy(PolicyArn=arn)
    except iam.exceptions.DeleteConflictException as error:
        assert error.response["ResponseMetadata"]["HTTPStatusCode"] == 409 and error.response["ResponseMetadata"]["RequestId"]
    else:
        raise AssertionError("deleted")
    try:
        iam.get_role(RoleName="nobody")
    except ClientError as error:
        assert error.response["Error"]["Code"] == "NoSuchEntity"
    iam.detach_role_policy(RoleName="job", PolicyArn=arn)
    iam.detach_group_policy(GroupName="ops", PolicyArn=arn)
    iam.delete_policy(PolicyArn=arn)
    iam.delete_role_policy(RoleName="job", PolicyName="p")
    iam.delete_role(RoleName="job")
    return [row["AccessKeyMetadata"] and row["AccessKeyMetadata"][0]["Status"] for row in [iam.list_access_keys(UserName="ann")]]


def by_command_line():
    arn = aws("iam", "create-policy", "--policy-name", "other", "--policy-document", ALLOW)["Policy"]["Arn"]
    aws("iam", "attach-user-policy", "--user-name", "ann", "--policy-arn", arn)
    aws("iam", "put-user-policy", "--user-name", "ann", "--policy-name", "q", "--policy-document", ALLOW)
    aws("iam", "delete-user-policy", "--user-name", "ann", "--policy-name", "p")
    attached = aws("iam", "list-attached-user-policies", "--user-name", "ann")["AttachedPolicies"]
    return [one["PolicyName"] for one in attached] + aws("iam", "list-user-policies", "--user-name", "ann")["PolicyNames"]


if __name__ == "__main__":
    json.dump({"boto3": by_boto3(), "cli": by_command_line()}, sys.stdout)

"""Reads the whole account by boto3, and prints it in the form that all clients share."""

import json
import sys
from datetime import datetime

import boto3


def text(document):
    # boto3 decodes documents and parses them; what it could not parse is left as text.
    return document if isinstance(document, (dict, list)) or document is None else str(document)


def when(value):
    if value is None:
        return None
    if isinstance(value, datetime):
        return int(value.timestamp())
    return int(datetime.fromisoformat(value.replace("Z", "+00:00")).timestamp()) if isinstance(value, str) else int(value)


def entity(row, noun):
    return {
        "id": row[noun + "Id"],
        "inline": {one["PolicyName"]: text(one.get("PolicyDocument")) for one in row.get(noun + "PolicyList", [])},
        "attached": [one["PolicyArn"] for one in row["AttachedManagedPolicies"]],
        "tags": {one["Key"]: one["Value"] for one in row.get("Tags", [])},
        "groups": row.get("GroupList", []),
        "boundary": row.get("PermissionsBoundary", {}).get("PermissionsBoundaryArn"),
        "created": when(row["CreateDate"]),
    }


def normal(details, report_of, key_of, regions):
    """What is read, in the form that all clients share."""
    entities, policies = {}, {}
    for noun in ("User", "Role", "Group"):
        for row in details[noun + "DetailList"]:
            entities[row["Arn"]] = entity(row, noun)
    for row in details["Policies"]:
        versions = {one["VersionId"]: text(one.get("Document")) for one in row["PolicyVersionList"]}
        policies[row["Arn"]] = {"default": row["DefaultVersionId"], "attached": row["AttachmentCount"], "versions": versions}
    reports = {}
    for arn in sorted(entities):
        if ":group/" not in arn:
            rows = report_of(arn)
            reports[arn] = {
                row["ServiceNamespace"]: [
                    when(row.get("LastAuthenticated")),
                    row["TotalAuthenticatedEntities"],
                    {
                        one["ActionName"]: when(one.get("LastAccessedTime"))
                        for one in row.get("TrackedActionsLastAccessed", [])
                    },
                ]
                for row in rows
            }
    keys = {}
    for user in (row["UserName"] for row in details["UserDetailList"]):
        keys.update(key_of(user))
    return {"entities": entities, "policies": policies, "reports": reports, "access_keys": keys, "regions": regions}


def main():
    iam, account = boto3.client("iam"), boto3.client("account")
    pages = iam.get_paginator("get_account_authorization_details").paginate()
    details = {name: [] for name in ("UserDetailList", "RoleDetailList", "GroupDetailList", "Policies")}
    for page in pages:
        for name in details:
            details[name] += page[name]

    def report_of(arn):
        job = iam.generate_service_last_accessed_details(Arn=arn, Granularity="ACTION_LEVEL")["JobId"]
        rows, marker = [], {}
        while True:
            page = iam.get_service_last_accessed_details(JobId=job, **marker)
            assert page["JobStatus"] == "COMPLETED" and page["JobType"] == "ACTION_LEVEL", page
            rows += page["ServicesLastAccessed"]
            if not page["IsTruncated"]:
                return rows
            marker = {"Marker": page["Marker"]}

    def key_of(user):
        keys = iam.list_access_keys(UserName=user)["AccessKeyMetadata"]
        used = {key["AccessKeyId"]: iam.get_access_key_last_used(AccessKeyId=key["AccessKeyId"]) for key in keys}
        return {key: when(one["AccessKeyLastUsed"].get("LastUsedDate")) for key, one in used.items()}

    regions = [one["RegionName"] for one in account.get_paginator("list_regions").paginate().build_full_result()["Regions"]]
    read = normal(details, report_of, key_of, regions)
    read["keys"] = {}
    for region in ("eu-west-1", "us-east-1"):
        kms = boto3.client("kms", region_name=region)
        for key in kms.list_keys()["Keys"]:
            assert kms.describe_key(KeyId=key["KeyArn"])["KeyMetadata"]["Arn"] == key["KeyArn"]
            usage = kms.get_key_last_usage(KeyId=key["KeyArn"])["KeyLastUsage"]
            read["keys"][key["KeyArn"]] = [usage.get("Operation"), when(usage.get("Timestamp"))]
    events = boto3.client("cloudtrail", region_name="us-east-1").get_paginator("lookup_events").paginate()
    read["events"] = sorted(event["EventId"] for page in events for event in page["Events"])
    read["caller"] = boto3.client("sts").get_caller_identity()["Arn"]
    json.dump(read, sys.stdout)


if __name__ == "__main__":
    main()

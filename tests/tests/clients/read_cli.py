"""Reads the whole account by the AWS CLI, and prints it in the form that all clients share.

The CLI is driven within one process, as its own `aws` script drives it: a process a call would take minutes.
"""

import contextlib
import io
import json
import sys

from awscli.clidriver import create_clidriver
from read import normal, when


DRIVER = create_clidriver()


def aws(*words):
    out = io.StringIO()
    out.buffer = out
    with contextlib.redirect_stdout(out):
        code = DRIVER.main(list(words) + ["--output", "json"])
    assert code == 0, (words, code)
    # Writes that answer nothing print nothing.
    return json.loads(out.getvalue() or "null")


def report_of(arn):
    job = aws("iam", "generate-service-last-accessed-details", "--arn", arn, "--granularity", "ACTION_LEVEL")["JobId"]
    rows, marker = [], []
    while True:
        page = aws("iam", "get-service-last-accessed-details", "--job-id", job, *marker)
        assert page["JobStatus"] == "COMPLETED" and page["JobType"] == "ACTION_LEVEL", page
        rows += page["ServicesLastAccessed"]
        if not page["IsTruncated"]:
            return rows
        marker = ["--marker", page["Marker"]]


def key_of(user):
    keys = [one["AccessKeyId"] for one in aws("iam", "list-access-keys", "--user-name", user)["AccessKeyMetadata"]]
    used = {key: aws("iam", "get-access-key-last-used", "--access-key-id", key) for key in keys}
    return {key: when(one["AccessKeyLastUsed"].get("LastUsedDate")) for key, one in used.items()}


def main():
    details = aws("iam", "get-account-authorization-details")
    regions = [one["RegionName"] for one in aws("account", "list-regions")["Regions"]]
    read = normal(details, report_of, key_of, regions)
    read["keys"] = {}
    for region in ("eu-west-1", "us-east-1"):
        for key in aws("kms", "list-keys", "--region", region)["Keys"]:
            usage = aws("kms", "get-key-last-usage", "--region", region, "--key-id", key["KeyArn"])["KeyLastUsage"]
            read["keys"][key["KeyArn"]] = [usage.get("Operation"), when(usage.get("Timestamp"))]
    events = aws("cloudtrail", "lookup-events", "--region", "us-east-1")["Events"]
    read["events"] = sorted(event["EventId"] for event in events)
    read["caller"] = aws("sts", "get-caller-identity")["Arn"]
    json.dump(read, sys.stdout)


if __name__ == "__main__":
    main()

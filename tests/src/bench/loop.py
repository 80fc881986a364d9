"""Last-accessed reports as most tools read them: start all jobs, then ask for each until it is done."""

import time

import boto3
from botocore.config import Config

iam = boto3.client("iam", config=Config(retries={"mode": "standard", "max_attempts": 10}))
arns = []
for page in iam.get_paginator("get_account_authorization_details").paginate(Filter=["User", "Role"]):
    arns += [entity["Arn"] for entity in page["UserDetailList"] + page["RoleDetailList"]]
jobs = {
    arn: iam.generate_service_last_accessed_details(Arn=arn, Granularity="ACTION_LEVEL")["JobId"]
    for arn in arns
}
for arn, job in jobs.items():
    rows, marker = [], {}
    while True:
        answer = iam.get_service_last_accessed_details(JobId=job, **marker)
        if answer["JobStatus"] == "IN_PROGRESS":
            time.sleep(1)
            continue
        rows += answer.get("ServicesLastAccessed", [])
        if not answer.get("IsTruncated"):
            break
        marker = {"Marker": answer["Marker"]}

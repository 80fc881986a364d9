//! Actions by which a holder can get more permissions than it has. A short list, each with AWS's own page on what it does.

use crate::catalog::{ActionId, Catalog};

/// An action that leads to more permissions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Escalation {
    /// `service:Action`
    pub action: &'static str,
    /// What its holder can do with it.
    pub how: &'static str,
    /// AWS's page.
    pub source: &'static str,
}

macro_rules! page {
    ($page:literal) => {
        concat!("https://docs.aws.amazon.com/", $page, ".html")
    };
}

/// The list, by action.
pub const ESCALATIONS: &[Escalation] = &[
    Escalation {
        action: "cloudformation:CreateStack",
        how: "run a stack with a role that is passed to it",
        source: page!("AWSCloudFormation/latest/APIReference/API_CreateStack"),
    },
    Escalation {
        action: "cloudformation:UpdateStack",
        how: "change what a stack does with its role",
        source: page!("AWSCloudFormation/latest/APIReference/API_UpdateStack"),
    },
    Escalation {
        action: "codebuild:StartBuild",
        how: "run own commands with the project's role",
        source: page!("codebuild/latest/APIReference/API_StartBuild"),
    },
    Escalation {
        action: "ec2:AssociateIamInstanceProfile",
        how: "give an instance another role",
        source: page!("AWSEC2/latest/APIReference/API_AssociateIamInstanceProfile"),
    },
    Escalation {
        action: "ec2:ReplaceIamInstanceProfileAssociation",
        how: "give an instance another role",
        source: page!("AWSEC2/latest/APIReference/API_ReplaceIamInstanceProfileAssociation"),
    },
    Escalation {
        action: "ec2:RunInstances",
        how: "run own code with a role that is passed to it",
        source: page!("AWSEC2/latest/APIReference/API_RunInstances"),
    },
    Escalation {
        action: "glue:CreateDevEndpoint",
        how: "run own code with a role that is passed to it",
        source: page!("glue/latest/webapi/API_CreateDevEndpoint"),
    },
    Escalation {
        action: "iam:AddUserToGroup",
        how: "join a group that has more",
        source: page!("IAM/latest/APIReference/API_AddUserToGroup"),
    },
    Escalation {
        action: "iam:AttachGroupPolicy",
        how: "attach any policy",
        source: page!("IAM/latest/APIReference/API_AttachGroupPolicy"),
    },
    Escalation {
        action: "iam:AttachRolePolicy",
        how: "attach any policy",
        source: page!("IAM/latest/APIReference/API_AttachRolePolicy"),
    },
    Escalation {
        action: "iam:AttachUserPolicy",
        how: "attach any policy",
        source: page!("IAM/latest/APIReference/API_AttachUserPolicy"),
    },
    Escalation {
        action: "iam:CreateAccessKey",
        how: "get another user's credentials",
        source: page!("IAM/latest/APIReference/API_CreateAccessKey"),
    },
    Escalation {
        action: "iam:CreateLoginProfile",
        how: "set another user's password",
        source: page!("IAM/latest/APIReference/API_CreateLoginProfile"),
    },
    Escalation {
        action: "iam:CreatePolicyVersion",
        how: "write any policy",
        source: page!("IAM/latest/APIReference/API_CreatePolicyVersion"),
    },
    Escalation {
        action: "iam:DeleteRolePermissionsBoundary",
        how: "lift a ceiling",
        source: page!("IAM/latest/APIReference/API_DeleteRolePermissionsBoundary"),
    },
    Escalation {
        action: "iam:DeleteUserPermissionsBoundary",
        how: "lift a ceiling",
        source: page!("IAM/latest/APIReference/API_DeleteUserPermissionsBoundary"),
    },
    Escalation {
        action: "iam:PassRole",
        how: "hand a role to a service that runs own code",
        source: page!("IAM/latest/UserGuide/id_roles_use_passrole"),
    },
    Escalation {
        action: "iam:PutGroupPolicy",
        how: "write any policy",
        source: page!("IAM/latest/APIReference/API_PutGroupPolicy"),
    },
    Escalation {
        action: "iam:PutRolePolicy",
        how: "write any policy",
        source: page!("IAM/latest/APIReference/API_PutRolePolicy"),
    },
    Escalation {
        action: "iam:PutUserPolicy",
        how: "write any policy",
        source: page!("IAM/latest/APIReference/API_PutUserPolicy"),
    },
    Escalation {
        action: "iam:SetDefaultPolicyVersion",
        how: "bring an older, wider version back",
        source: page!("IAM/latest/APIReference/API_SetDefaultPolicyVersion"),
    },
    Escalation {
        action: "iam:UpdateAssumeRolePolicy",
        how: "let oneself assume any role",
        source: page!("IAM/latest/APIReference/API_UpdateAssumeRolePolicy"),
    },
    Escalation {
        action: "iam:UpdateLoginProfile",
        how: "set another user's password",
        source: page!("IAM/latest/APIReference/API_UpdateLoginProfile"),
    },
    Escalation {
        action: "lambda:CreateFunction",
        how: "run own code with a role that is passed to it",
        source: page!("lambda/latest/api/API_CreateFunction"),
    },
    Escalation {
        action: "lambda:UpdateFunctionCode",
        how: "run own code with the function's role",
        source: page!("lambda/latest/api/API_UpdateFunctionCode"),
    },
    Escalation {
        action: "lambda:UpdateFunctionConfiguration",
        how: "add a layer of own code, or change the role",
        source: page!("lambda/latest/api/API_UpdateFunctionConfiguration"),
    },
    Escalation {
        action: "sagemaker:CreateNotebookInstance",
        how: "run own code with a role that is passed to it",
        source: page!("sagemaker/latest/APIReference/API_CreateNotebookInstance"),
    },
    Escalation {
        action: "sagemaker:CreatePresignedNotebookInstanceUrl",
        how: "enter a notebook that runs with another role",
        source: page!("sagemaker/latest/APIReference/API_CreatePresignedNotebookInstanceUrl"),
    },
    Escalation {
        action: "ssm:SendCommand",
        how: "run own commands with an instance's role",
        source: page!("systems-manager/latest/APIReference/API_SendCommand"),
    },
    Escalation {
        action: "ssm:StartSession",
        how: "run own commands with an instance's role",
        source: page!("systems-manager/latest/APIReference/API_StartSession"),
    },
    Escalation {
        action: "sts:AssumeRole",
        how: "act as another role",
        source: page!("STS/latest/APIReference/API_AssumeRole"),
    },
];

pub(super) fn of(catalog: &Catalog, id: ActionId) -> Option<&'static Escalation> {
    // Hardly any action is one of them, and all are asked about.
    if !catalog.escalations(ESCALATIONS.iter().map(|escalation| escalation.action)).contains(id) {
        return None;
    }
    let service = catalog.service_prefix(catalog.service_of(id)).bytes();
    let name = service.chain(std::iter::once(b':')).chain(catalog.name(id).bytes());
    ESCALATIONS
        .binary_search_by(|escalation| escalation.action.bytes().cmp(name.clone()))
        .ok()
        .and_then(|at| ESCALATIONS.get(at))
}

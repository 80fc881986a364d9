//! Which operations there are.

use super::{
    access_key, account, attachment, boundary, credential_report, details, entity, inline, membership, policy,
    policy_list, policy_version, tag,
};
use crate::emulator::call::{Operation, Resource, Run};
use crate::emulator::report;
use crate::emulator::state::Kind::{Group, Role, User};

const fn reads(name: &'static str, resource: Resource, run: Run) -> Operation {
    Operation { service: "iam", name, writes: false, resource, run }
}

const fn writes(name: &'static str, resource: Resource, run: Run) -> Operation {
    Operation { service: "iam", name, writes: true, resource, run }
}

const USER: Resource = Resource::Entity(User);
const GROUP: Resource = Resource::Entity(Group);
const ROLE: Resource = Resource::Entity(Role);
const ANY: Resource = Resource::Any;
const POLICY: Resource = Resource::Policy;
const ARN: Resource = Resource::Arn("Arn");

/// The operations of IAM.
pub const OPERATIONS: &[Operation] = &[
    reads("GetAccountAuthorizationDetails", ANY, Run::Xml(details::get)),
    reads("GenerateCredentialReport", ANY, Run::Xml(credential_report::generate)),
    reads("GetCredentialReport", ANY, Run::Xml(credential_report::get)),
    reads("GetAccountSummary", ANY, Run::Xml(account::summary)),
    reads("GenerateServiceLastAccessedDetails", ARN, Run::Xml(report::generate)),
    reads("GetServiceLastAccessedDetails", ANY, Run::Xml(report::get)),
    reads("GetServiceLastAccessedDetailsWithEntities", ANY, Run::Xml(report::with_entities)),
    reads("ListPoliciesGrantingServiceAccess", ARN, Run::Xml(report::granting)),
    reads("GetUser", USER, Run::Xml(|call, xml| entity::get(call, xml, User))),
    reads("GetRole", ROLE, Run::Xml(|call, xml| entity::get(call, xml, Role))),
    reads("GetGroup", GROUP, Run::Xml(entity::get_group)),
    reads("ListUsers", ANY, Run::Xml(|call, xml| entity::list(call, xml, User))),
    reads("ListGroups", ANY, Run::Xml(|call, xml| entity::list(call, xml, Group))),
    reads("ListRoles", ANY, Run::Xml(|call, xml| entity::list(call, xml, Role))),
    reads("ListGroupsForUser", USER, Run::Xml(membership::list)),
    reads("ListUserPolicies", USER, Run::Xml(|call, xml| inline::list(call, xml, User))),
    reads("ListGroupPolicies", GROUP, Run::Xml(|call, xml| inline::list(call, xml, Group))),
    reads("ListRolePolicies", ROLE, Run::Xml(|call, xml| inline::list(call, xml, Role))),
    reads("GetUserPolicy", USER, Run::Xml(|call, xml| inline::get(call, xml, User))),
    reads("GetGroupPolicy", GROUP, Run::Xml(|call, xml| inline::get(call, xml, Group))),
    reads("GetRolePolicy", ROLE, Run::Xml(|call, xml| inline::get(call, xml, Role))),
    reads("ListAttachedUserPolicies", USER, Run::Xml(|call, xml| attachment::list(call, xml, User))),
    reads("ListAttachedGroupPolicies", GROUP, Run::Xml(|call, xml| attachment::list(call, xml, Group))),
    reads("ListAttachedRolePolicies", ROLE, Run::Xml(|call, xml| attachment::list(call, xml, Role))),
    reads("GetPolicy", POLICY, Run::Xml(policy::get)),
    reads("GetPolicyVersion", POLICY, Run::Xml(policy_version::get)),
    reads("ListPolicyVersions", POLICY, Run::Xml(policy_version::list)),
    reads("ListEntitiesForPolicy", POLICY, Run::Xml(policy::entities)),
    reads("ListPolicies", ANY, Run::Xml(policy_list::list)),
    reads("ListPolicyTags", POLICY, Run::Xml(tag::list_policy)),
    reads("ListUserTags", USER, Run::Xml(|call, xml| tag::list(call, xml, User))),
    reads("ListRoleTags", ROLE, Run::Xml(|call, xml| tag::list(call, xml, Role))),
    reads("ListAccessKeys", USER, Run::Xml(access_key::list)),
    reads("GetAccessKeyLastUsed", Resource::AccessKey, Run::Xml(access_key::last_used)),
    writes("CreateUser", USER, Run::Xml(|call, xml| entity::create(call, xml, User))),
    writes("CreateGroup", GROUP, Run::Xml(|call, xml| entity::create(call, xml, Group))),
    writes("CreateRole", ROLE, Run::Xml(|call, xml| entity::create(call, xml, Role))),
    writes("DeleteUser", USER, Run::Xml(|call, _| entity::delete(call, User))),
    writes("DeleteGroup", GROUP, Run::Xml(|call, _| entity::delete(call, Group))),
    writes("DeleteRole", ROLE, Run::Xml(|call, _| entity::delete(call, Role))),
    writes("AddUserToGroup", GROUP, Run::Xml(|call, _| membership::add(call))),
    writes("RemoveUserFromGroup", GROUP, Run::Xml(|call, _| membership::remove(call))),
    writes("PutUserPolicy", USER, Run::Xml(|call, _| inline::put(call, User))),
    writes("PutGroupPolicy", GROUP, Run::Xml(|call, _| inline::put(call, Group))),
    writes("PutRolePolicy", ROLE, Run::Xml(|call, _| inline::put(call, Role))),
    writes("DeleteUserPolicy", USER, Run::Xml(|call, _| inline::delete(call, User))),
    writes("DeleteGroupPolicy", GROUP, Run::Xml(|call, _| inline::delete(call, Group))),
    writes("DeleteRolePolicy", ROLE, Run::Xml(|call, _| inline::delete(call, Role))),
    writes("AttachUserPolicy", USER, Run::Xml(|call, _| attachment::attach(call, User))),
    writes("AttachGroupPolicy", GROUP, Run::Xml(|call, _| attachment::attach(call, Group))),
    writes("AttachRolePolicy", ROLE, Run::Xml(|call, _| attachment::attach(call, Role))),
    writes("DetachUserPolicy", USER, Run::Xml(|call, _| attachment::detach(call, User))),
    writes("DetachGroupPolicy", GROUP, Run::Xml(|call, _| attachment::detach(call, Group))),
    writes("DetachRolePolicy", ROLE, Run::Xml(|call, _| attachment::detach(call, Role))),
    writes("PutUserPermissionsBoundary", USER, Run::Xml(|call, _| boundary::put(call, User))),
    writes("PutRolePermissionsBoundary", ROLE, Run::Xml(|call, _| boundary::put(call, Role))),
    writes("DeleteUserPermissionsBoundary", USER, Run::Xml(|call, _| boundary::delete(call, User))),
    writes("DeleteRolePermissionsBoundary", ROLE, Run::Xml(|call, _| boundary::delete(call, Role))),
    writes("CreatePolicy", Resource::NewPolicy, Run::Xml(policy::create)),
    writes("DeletePolicy", POLICY, Run::Xml(|call, _| policy::delete(call))),
    writes("CreatePolicyVersion", POLICY, Run::Xml(policy_version::create)),
    writes("SetDefaultPolicyVersion", POLICY, Run::Xml(|call, _| policy_version::set_default(call))),
    writes("DeletePolicyVersion", POLICY, Run::Xml(|call, _| policy_version::delete(call))),
    writes("TagUser", USER, Run::Xml(|call, _| tag::tag(call, User))),
    writes("TagRole", ROLE, Run::Xml(|call, _| tag::tag(call, Role))),
    writes("TagPolicy", POLICY, Run::Xml(|call, _| tag::tag_policy(call))),
    writes("UntagUser", USER, Run::Xml(|call, _| tag::untag(call, User))),
    writes("UntagRole", ROLE, Run::Xml(|call, _| tag::untag(call, Role))),
    writes("UntagPolicy", POLICY, Run::Xml(|call, _| tag::untag_policy(call))),
    writes("CreateAccessKey", USER, Run::Xml(access_key::create)),
    writes("UpdateAccessKey", USER, Run::Xml(|call, _| access_key::update(call))),
    writes("DeleteAccessKey", USER, Run::Xml(|call, _| access_key::delete(call))),
];

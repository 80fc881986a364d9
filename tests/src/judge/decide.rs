//! From policies and a request to a decision.
//!
//! See <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic_policy-eval-denyallow.html>.

use super::Truth;
use super::context::{Context, Resolved, literal};
use super::document::{Effect, Listed, Policy, Statement};
use super::glob;

/// What somebody asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Request {
    /// `service:Action`
    pub action: String,
    /// The ARN of what the action is to work on; `*` for actions that work on nothing in particular.
    pub resource: String,
    /// The condition keys.
    pub context: Context,
}

impl Request {
    /// Returns a request without condition keys.
    pub fn new(action: &str, resource: &str) -> Request {
        Request { action: action.to_owned(), resource: resource.to_owned(), context: Context::new() }
    }
}

/// The answer to a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Decision {
    /// It is allowed.
    Allowed,
    /// A statement denies it.
    ExplicitDeny,
    /// Nothing allows it.
    ImplicitDeny,
    /// Whether it is allowed depends on what the judge does not know: an operator, or the value of a variable.
    Undecided,
}

impl Statement {
    /// Returns whether the statement is about an action, whatever the resource.
    pub fn is_about(&self, action: &str) -> bool {
        match &self.actions {
            Listed::These(list) => list.iter().any(|pattern| glob::matches_folded(pattern, action)),
            Listed::AllBut(list) => !list.iter().any(|pattern| glob::matches_folded(pattern, action)),
        }
    }

    /// Returns whether the statement applies to a request.
    pub fn applies(&self, request: &Request, has_variables: bool) -> Truth {
        if !self.is_about(&request.action) {
            return Truth::No;
        }
        let matches = |pattern: &String| resource_matches(pattern, request, has_variables);
        let resource = match &self.resources {
            Listed::These(list) => Truth::any(list.iter().map(matches)),
            Listed::AllBut(list) => Truth::any(list.iter().map(matches)).not(),
        };
        let conditions = self.conditions.iter().map(|condition| condition.holds(&request.context, has_variables));
        Truth::all(std::iter::once(resource).chain(conditions))
    }
}

/// Variables stand behind the fifth colon only; those of which the request says nothing may be anything.
fn resource_matches(pattern: &str, request: &Request, has_variables: bool) -> Truth {
    let resource = literal(&request.resource);
    // A request about everything asks for what only everything matches.
    let same = |pattern: &str| glob::matches_arn(pattern, &resource) || pattern == request.resource;
    if !has_variables {
        return Truth::from(same(pattern));
    }
    // Where a variable stands before, nobody says what it does.
    let is_early = pattern.splitn(6, ':').take(5).any(|part| part.contains("${"));
    match request.context.resolve(pattern) {
        Resolved::Pattern(pattern) if is_early && same(&pattern) => Truth::Unknown,
        Resolved::Pattern(pattern) => Truth::from(same(&pattern)),
        Resolved::Open { written, .. } if same(&written) => Truth::Yes,
        Resolved::Open { widest, .. } if same(&widest) => Truth::Unknown,
        Resolved::Open { .. } => Truth::No,
    }
}

/// Decides by identity policies alone: an explicit deny wins over an allow, and without an allow nothing is allowed.
pub fn decide<'p>(policies: impl IntoIterator<Item = &'p Policy>, request: &Request) -> Decision {
    let (mut allows, mut denies) = (Truth::No, Truth::No);
    for policy in policies {
        for statement in &policy.statements {
            let applies = statement.applies(request, policy.has_variables());
            match statement.effect {
                Effect::Allow => allows = allows.or(applies),
                Effect::Deny => denies = denies.or(applies),
            }
        }
    }
    match (denies, allows) {
        (Truth::Yes, _) => Decision::ExplicitDeny,
        (_, Truth::No) => Decision::ImplicitDeny,
        (Truth::No, Truth::Yes) => Decision::Allowed,
        _ => Decision::Undecided,
    }
}

/// Decides by identity policies within a permissions boundary: both must allow, and a deny of either wins. See
/// <https://docs.aws.amazon.com/IAM/latest/UserGuide/access_policies_boundaries.html#access_policies_boundaries-eval-logic>.
pub fn decide_within<'p>(
    policies: impl IntoIterator<Item = &'p Policy>,
    boundary: Option<&Policy>,
    request: &Request,
) -> Decision {
    let own = decide(policies, request);
    let Some(boundary) = boundary else { return own };
    match (own, decide([boundary], request)) {
        (Decision::ExplicitDeny, _) | (_, Decision::ExplicitDeny) => Decision::ExplicitDeny,
        (Decision::ImplicitDeny, _) | (_, Decision::ImplicitDeny) => Decision::ImplicitDeny,
        (Decision::Allowed, Decision::Allowed) => Decision::Allowed,
        _ => Decision::Undecided,
    }
}

#[cfg(test)]
mod tests;

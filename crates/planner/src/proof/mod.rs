//! Proof that a change takes away what may go, and nothing else.
//!
//! The two texts are parsed here by another parser than the rewriter's, and nothing is taken from the rewriter. Two things
//! are shown. First, whatever the catalogue says, and for actions that AWS has not invented yet, the new document
//! allows nothing that the old one did not, and denies what it denied. Second, every action of the catalogue, and every
//! name in the document or in the reports, that was allowed and may not go is still allowed, statement by statement; and
//! all that is lost has evidence for every holder, judged anew.

mod evidence;
mod grants;
mod grounds;
mod json;
mod kept;
mod key_use;
mod keys;
mod narrower;
mod resources;
mod statement;

use secateur_analyzer::analysis::Analysis;
use secateur_analyzer::catalog::{ActionSet, Catalog};
use secateur_analyzer::graph::{Entity, Holder, Path, PolicyId};

pub use grounds::Grounds;
pub use json::Json;
pub use keys::{KeyProof, prove_key};
pub use resources::CutResource;

use statement::Document;

/// What is claimed of one policy document.
#[derive(Clone, Copy, Debug)]
pub struct Claim<'a> {
    /// The policy.
    pub policy: PolicyId,
    /// The attachments of a managed policy that go; none when the document changes for everybody who holds it.
    pub through: Option<&'a [Entity]>,
    /// The text before.
    pub before: &'a str,
    /// The texts that take its place, held by the same principals, together; none when all that the document grants goes.
    pub after: &'a [&'a str],
}

/// A claim that holds. There is no way to make one but [`prove`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Proof {
    facts: ProofFacts,
    holders: Vec<Holder>,
    lost: ActionSet,
    still: Option<ActionSet>,
    resources: Vec<CutResource>,
    grounds: Vec<Grounds>,
}

/// What was looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ProofFacts {
    /// Statements of the new document, each shown to be no wider than one of the old document.
    pub statements: usize,
    /// Patterns of the new document, each shown to be included in, or disjoint from, what the old one had.
    pub patterns: usize,
    /// Actions and names that were allowed and may not go: each is still allowed.
    pub kept: usize,
    /// Actions that are lost: each has evidence for every holder.
    pub lost: usize,
    /// Holders whose evidence was judged anew.
    pub holders: usize,
    /// KMS keys that leave `Resource` lists: each was shown to be unused.
    pub resources: usize,
}

impl Proof {
    /// Returns what was looked at.
    pub fn facts(&self) -> ProofFacts {
        self.facts
    }

    /// Returns those who lose something, by principal.
    pub fn holders(&self) -> &[Holder] {
        &self.holders
    }

    /// Returns the actions that some statement allowed and no longer allows.
    pub fn lost(&self) -> &ActionSet {
        &self.lost
    }

    /// Returns those of the lost actions that another statement of the new documents goes on allowing, for other resources or
    /// under other conditions; none when there are none.
    pub fn still(&self) -> Option<&ActionSet> {
        self.still.as_ref()
    }

    /// Returns why the lost actions may go for each of the holders, in their order.
    pub fn grounds(&self) -> &[Grounds] {
        &self.grounds
    }

    /// Returns the KMS keys that leave `Resource` lists, by statement.
    pub fn resources(&self) -> &[CutResource] {
        &self.resources
    }
}

/// Why a claim does not hold. The first word of each message is its name.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ProofError {
    /// The text before is not the document of the snapshot.
    #[error("changed-before: the document of {address} in the snapshot is not the one that the change starts from")]
    ChangedBefore {
        /// The policy.
        address: String,
    },
    /// A text is not a policy document.
    #[error("unreadable-{which}: {detail}")]
    Unreadable {
        /// `before` or `after`.
        which: &'static str,
        /// What is wrong.
        detail: String,
    },
    /// A pattern allows what was not allowed.
    #[error(
        "widened-action: `{pattern}` of statement {statement} allows what no pattern of the statement it comes from allows"
    )]
    WidenedAction {
        /// The pattern.
        pattern: String,
        /// The statement of the new document, from 1.
        statement: usize,
    },
    /// A `NotAction` exempts less than before.
    #[error("widened-not-action: statement {statement} no longer exempts `{pattern}`")]
    WidenedNotAction {
        /// The pattern that is no longer exempt.
        pattern: String,
        /// The statement of the new document, from 1.
        statement: usize,
    },
    /// A `NotAction` became an `Action` that allows what was exempt.
    #[error(
        "overlapping-action: `{pattern}` of statement {statement} allows what the NotAction it comes from exempted"
    )]
    OverlappingAction {
        /// The pattern.
        pattern: String,
        /// The statement of the new document, from 1.
        statement: usize,
    },
    /// An `Action` became a `NotAction`.
    #[error("action-became-not-action: statement {statement} lists what it does not allow, and listed what it allows")]
    ActionBecameNotAction {
        /// The statement of the new document, from 1.
        statement: usize,
    },
    /// A statement lists no action.
    #[error("empty-action: statement {statement} has an empty list")]
    EmptyAction {
        /// The statement of the new document, from 1.
        statement: usize,
    },
    /// An element other than the actions differs.
    #[error("changed-{}: `{element}` of statement {statement} is not what it was", .element.to_ascii_lowercase())]
    ChangedElement {
        /// `Condition`, `Resource`, `Sid`, ...
        element: String,
        /// The statement of the new document, from 1.
        statement: usize,
    },
    /// A statement comes from none of the old document, or out of order.
    #[error("added-statement: statement {statement} comes from no statement of the old document, in order")]
    AddedStatement {
        /// The statement of the new document, from 1.
        statement: usize,
    },
    /// The Deny statements differ.
    #[error("changed-deny: the Deny statements are not the same, in the same order")]
    ChangedDeny,
    /// Something of the document besides its statements differs.
    #[error("changed-{}: `{element}` of the document is not what it was", .element.to_ascii_lowercase())]
    ChangedDocument {
        /// `Version`, `Id`, ...
        element: String,
    },
    /// A document with Deny statements goes whole, or for some, or in parts.
    #[error("dropped-deny: the document denies something, and must not be deleted, detached, replaced or split")]
    DroppedDeny,
    /// A statement that its author keeps by its Sid differs.
    #[error("changed-kept: statement {statement} of the old document is kept by its Sid, and is not what it was")]
    ChangedKept {
        /// The statement of the old document, from 1.
        statement: usize,
    },
    /// Something that may not go is no longer allowed.
    #[error(
        "lost-action: `{action}` was allowed by statement {statement}, may not go, and is no longer allowed ({verdict})"
    )]
    LostAction {
        /// The action or name.
        action: String,
        /// The statement of the old document, from 1.
        statement: usize,
        /// For whom, and why it may not go.
        verdict: String,
    },
    /// The report itself, read row by row, does not bear a loss out.
    #[error("no-evidence: `{action}` of {principal} is lost: {detail}")]
    NoEvidence {
        /// The action.
        action: String,
        /// The holder.
        principal: String,
        /// What the report says.
        detail: String,
    },
    /// All else holds, and AWS does not take the new document: it has a pattern that was taken once.
    #[error("unwritable-action: AWS takes no new document with `{pattern}`, which stands in statement {statement}")]
    UnwritableAction {
        /// The pattern.
        pattern: String,
        /// The statement of the new document, from 1.
        statement: usize,
    },
    /// Nothing bears out that an access key is idle.
    #[error("no-key-evidence: access key {key} of {user}: {detail}")]
    NoKeyEvidence {
        /// The key.
        key: String,
        /// The user.
        user: String,
        /// What is wrong.
        detail: String,
    },
    /// A document changes for somebody whose evidence is not looked at.
    #[error("missing-holder: {principal} holds {address} too, and loses what the others lose")]
    MissingHolder {
        /// The policy.
        address: String,
        /// The holder.
        principal: String,
    },
    /// Somebody loses something and nobody is there to lose it.
    #[error("no-holder: nobody holds {address}, so nothing shows that it is unused")]
    NoHolder {
        /// The policy.
        address: String,
    },
}

impl ProofError {
    /// Returns the error's name: its first word.
    pub fn name(&self) -> String {
        let message = self.to_string();
        message.split(':').next().unwrap_or_default().to_owned()
    }
}

/// Proves a claim.
///
/// # Errors
/// The first thing that does not hold.
pub fn prove(claim: &Claim<'_>, analysis: &Analysis<'_>) -> Result<Proof, ProofError> {
    let address = || analysis.graph().address(claim.policy).to_owned();
    let document = analysis.graph().policy(claim.policy).and_then(|policy| policy.document());
    if document.is_none_or(|document| document.text() != claim.before) {
        return Err(ProofError::ChangedBefore { address: address() });
    }
    let holders = holders(claim, analysis)?;
    if holders.is_empty() {
        return Err(ProofError::NoHolder { address: address() });
    }
    let before = statement::read("before", claim.before)?;
    let after: Vec<Document> =
        claim.after.iter().map(|text| statement::read("after", text)).collect::<Result<_, _>>()?;
    // A Deny may be what keeps another policy's Allow in check: it stays in force for everybody it concerned.
    let stays_one = claim.through.is_none() && after.len() == 1;
    if !stays_one && before.statements.iter().any(|statement| statement.denies) {
        return Err(ProofError::DroppedDeny);
    }
    // What stands there when unused KMS keys have left is still no wider, and all else is compared with that.
    let (before, resources) = resources::licensed(claim, &holders, before, &after, analysis);
    let narrower = narrower::check(&before, &after)?;
    let kept = kept::check(claim, &holders, &before, &after, analysis)?;
    resources::check_via_services(claim, &holders, &kept.lost, analysis)?;
    // The last thing to fail: who meets it knows that all else holds. What takes nothing away is not written.
    if !kept.lost.is_empty() || !resources.is_empty() {
        after.iter().try_for_each(writable)?;
    }
    Ok(Proof {
        facts: ProofFacts {
            statements: narrower.statements,
            patterns: narrower.patterns,
            kept: kept.kept,
            lost: kept.lost.len(),
            holders: holders.len(),
            resources: resources.len(),
        },
        holders,
        lost: kept.lost,
        still: kept.still,
        resources,
        grounds: kept.grounds,
    })
}

/// Whether AWS takes a pattern in a new document: `*`, or a service in letters, a colon, and a name.
///
/// See <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_action.html>.
pub(crate) fn is_taken(pattern: &str) -> bool {
    pattern == "*"
        || pattern.split_once(':').is_some_and(|(vendor, name)| {
            let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-';
            !vendor.is_empty() && vendor.bytes().all(is_plain) && !name.is_empty()
        })
}

/// Whether AWS takes each pattern in a new document.
fn writable(document: &Document) -> Result<(), ProofError> {
    for (at, statement) in document.statements.iter().enumerate() {
        if let Some(pattern) = statement.patterns.iter().find(|pattern| !is_taken(pattern.as_str())) {
            let (pattern, statement) = (pattern.as_str().to_owned(), at + 1);
            return Err(ProofError::UnwritableAction { pattern, statement });
        }
    }
    Ok(())
}

/// Returns whether the text that takes the place of a document takes no action of the catalogue away: then there is nothing to
/// prove, and nothing to do.
pub fn takes_nothing(catalog: &Catalog, before: &str, after: &str) -> bool {
    let read = |which, text| statement::read(which, text).ok();
    let documents = read("before", before).zip(read("after", after));
    documents.is_some_and(|(before, after)| kept::takes_nothing(catalog, &before, &[after]))
}

/// Those who lose something: whoever holds the document, or has it by one of the attachments that go.
///
/// A document of the account's own is one for all its holders: only an attachment can go for some of them. What AWS owns is
/// not edited, so that another document can take its place for some.
fn holders(claim: &Claim<'_>, analysis: &Analysis<'_>) -> Result<Vec<Holder>, ProofError> {
    let graph = analysis.graph();
    let all = graph.holders(claim.policy);
    let Some(through) = claim.through else { return Ok(all) };
    let is_reached = |holder: &Holder| {
        holder.paths.iter().any(|path| match path {
            Path::Direct => through.contains(&Entity::Principal(holder.principal)),
            Path::Group(group) => through.contains(&Entity::Group(*group)),
        })
    };
    let managed = graph.policy(claim.policy).and_then(|policy| policy.managed());
    let may_differ = managed.is_some_and(|managed| managed.is_aws_managed() || claim.after.is_empty());
    if let Some(missing) = all.iter().find(|holder| !may_differ && !is_reached(holder)) {
        return Err(ProofError::MissingHolder {
            address: graph.address(claim.policy).to_owned(),
            principal: graph.entity_address(Entity::Principal(missing.principal)),
        });
    }
    Ok(all.into_iter().filter(is_reached).collect())
}

#[cfg(test)]
mod tests;

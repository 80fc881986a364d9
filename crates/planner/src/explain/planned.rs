//! What the plan makes of a policy, as one principal holds it.

use secateur_analyzer::analysis::Analysis;
use secateur_analyzer::catalog::ActionId;
use secateur_analyzer::document::PolicyDocument;
use secateur_analyzer::graph::{Entity, Holder, Path, PolicyId};
use serde::Serialize;

use super::statements::{self, StatementGrant};
use crate::plan::{
    Advice, Change, ChangeAction, ChangeSize, Frozen, KeyEvidence, Plan, Readmitted, RemovedResource, RemovedStatement,
    Withheld,
};

/// What the plan makes of a policy, as the principal holds it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Planned {
    /// The changes that take something from it, or take it from the principal.
    pub changes: Vec<PlannedChange>,
    /// What is withheld of it.
    pub withheld: Vec<Withheld>,
    /// What is advised on it.
    pub advice: Vec<Advice>,
    /// What becomes of the action, if one was asked for: `removed`, `re-admitted`, `stays`.
    pub action: Option<&'static str>,
    /// What grants the action in the end, of this policy and of those that take its place.
    pub granted_after: Vec<StatementGrant>,
}

/// A change, as far as it concerns the policy; about an action, as far as it concerns that.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct PlannedChange {
    /// Its address.
    pub address: String,
    /// What is done.
    pub action: ChangeAction,
    /// The policies that come beside it, or in its place.
    pub with: Vec<String>,
    /// How many actions it removes.
    pub removed: usize,
    /// How the document was made to fit its quota; none where names did.
    pub size: Option<ChangeSize>,
    /// What may go and is still allowed.
    pub readmitted: Vec<Readmitted>,
    /// The patterns that no longer follow AWS.
    pub frozen: Vec<Frozen>,
    /// The policies that go on granting the principal what is removed; without an action only.
    pub still_granted_by: Vec<StillGrants>,
    /// The KMS keys that leave.
    pub resources: Vec<RemovedResource>,
    /// The statements that go with them.
    pub statements: Vec<RemovedStatement>,
}

/// A policy that goes on granting what is removed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct StillGrants {
    /// The policy's address.
    pub policy: String,
    /// How many of the removed actions it grants.
    pub count: usize,
}

/// What the plan makes of an access key of the user.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct PlannedKey {
    /// `user/NAME/key/ID`
    pub address: String,
    /// Why it is made inactive.
    pub deactivated: Option<KeyEvidence>,
    /// Why it is not.
    pub withheld: Option<Withheld>,
}

/// Returns what the plan makes of the access keys of a user: those of which it says something.
pub(super) fn access_keys(plan: &Plan, user: &str) -> Vec<PlannedKey> {
    let prefix = format!("{user}/key/");
    let deactivated = plan
        .changes
        .iter()
        .filter(|change| change.address.starts_with(&prefix))
        .map(|change| PlannedKey { address: change.address.clone(), deactivated: change.key.clone(), withheld: None });
    let withheld = plan.withheld.iter().filter(|withheld| withheld.address.starts_with(&prefix)).map(|withheld| {
        PlannedKey { address: withheld.address.clone(), deactivated: None, withheld: Some(withheld.clone()) }
    });
    let mut keys: Vec<PlannedKey> = deactivated.chain(withheld).collect();
    keys.sort_by(|a, b| a.address.cmp(&b.address));
    keys
}

/// A policy that a principal holds, in the plan.
pub(super) struct Held<'h, 'a> {
    pub analysis: &'h Analysis<'a>,
    pub plan: &'h Plan,
    pub policy: PolicyId,
    pub holder: &'h Holder,
}

/// The policies that are held in the end, each with its text.
type After = Vec<(String, String)>;

impl<'h> Held<'h, '_> {
    /// What becomes of the policy; `may_go` is whether some of its actions may go for this holder.
    pub fn summary(&self, may_go: bool) -> Planned {
        let (changes, _) = self.changes();
        let withheld: Vec<Withheld> = self.withheld().cloned().collect();
        let stays = changes.len() < self.entities().len();
        let advice = self.advice().filter(|advice| advice.kind != "aws-managed" || (may_go && stays)).cloned();
        Planned { advice: advice.collect(), changes, withheld, ..Planned::default() }
    }

    /// What becomes of an action that these statements grant; `may_go` is whether it may go for every holder.
    pub fn action(&self, action: ActionId, grants: &[StatementGrant], may_go: bool) -> Planned {
        let catalog = self.analysis.catalog();
        let (mut changes, after) = self.changes();
        let granted_after: Vec<StatementGrant> = (after.iter())
            .filter_map(|(address, text)| Some((address, PolicyDocument::parse(text.as_str()).ok()?)))
            .flat_map(|(address, document)| statements::granting(&document, address, catalog, action))
            .collect();
        let (name, service) = (catalog.full_name(action), catalog.service_prefix(catalog.service_of(action)));
        let whole = format!("{service}:*");
        let stays = !granted_after.is_empty();
        for change in &mut changes {
            let is_meant = |text: &String| *text == name || *text == whole;
            change.readmitted.retain(|readmitted| stays && readmitted.actions.iter().any(is_meant));
            change.size = change.size.filter(|_| !change.readmitted.is_empty());
            change.frozen.retain(|frozen| stays && grants.iter().any(|grant| grant.is_by(&frozen.pattern)));
            change.resources.retain(|key| grants.iter().any(|grant| grant.statement == key.statement));
            change.statements.retain(|gone| grants.iter().any(|grant| grant.statement == gone.statement));
            change.still_granted_by.clear();
        }
        let is_readmitted = changes.iter().any(|change| !change.readmitted.is_empty());
        let is_left = may_go && stays && !is_readmitted;
        let withheld = self.withheld().filter(|withheld| is_left && is_about(withheld, grants, service));
        let advice = self.advice().filter(|advice| if advice.kind == "kms-keys" { service == "kms" } else { is_left });
        Planned {
            withheld: withheld.cloned().collect(),
            advice: advice.cloned().collect(),
            action: Some(match (stays, is_readmitted) {
                (false, _) => "removed",
                (true, true) => "re-admitted",
                (true, false) => "stays",
            }),
            granted_after,
            changes,
        }
    }

    fn address(&self) -> &'h str {
        self.analysis.graph().address(self.policy)
    }

    /// Those by whom the principal has the policy.
    fn entities(&self) -> Vec<String> {
        let graph = self.analysis.graph();
        let entity = |path: &Path| match path {
            Path::Direct => Entity::Principal(self.holder.principal),
            Path::Group(group) => Entity::Group(*group),
        };
        self.holder.paths.iter().map(|path| graph.entity_address(entity(path))).collect()
    }

    fn attachment(&self, entity: &str) -> String {
        let name = self.address().strip_prefix("policy/").unwrap_or(self.address());
        format!("{entity}/attached/{name}")
    }

    fn change(&self, address: &str) -> Option<&'h Change> {
        self.plan.changes.iter().find(|change| change.address == address)
    }

    /// The changes, and what is held when they are made.
    fn changes(&self) -> (Vec<PlannedChange>, After) {
        let (mut changes, mut after) = (Vec::new(), After::new());
        let entities = self.entities();
        let own = self.change(self.address());
        if let Some(own) = own.filter(|own| [ChangeAction::Update, ChangeAction::Delete].contains(&own.action)) {
            after.extend(own.after.clone().map(|text| (own.address.clone(), text)));
            let with = entities.iter().flat_map(|entity| self.with(own, entity)).collect();
            changes.push(self.planned(own, own, with));
        } else {
            for entity in &entities {
                let detach = self.change(&self.attachment(entity));
                match detach.filter(|change| change.action == ChangeAction::Detach) {
                    None => {
                        let document = self.analysis.graph().policy(self.policy).and_then(|policy| policy.document());
                        after.extend(document.map(|document| (self.address().to_owned(), document.text().to_owned())));
                    }
                    Some(detach) => {
                        // What is removed stands at the first change of a group.
                        let main = detach.group.is_some().then(|| self.group(detach).find(|own| own.before.is_some()));
                        changes.push(self.planned(detach, main.flatten().unwrap_or(detach), self.with(detach, entity)));
                    }
                }
            }
        }
        let mut with: Vec<&String> = changes.iter().flat_map(|change: &PlannedChange| &change.with).collect();
        with.sort();
        with.dedup();
        after.sort();
        after.dedup();
        after.extend(with.into_iter().filter_map(|address| Some((address.clone(), self.text(address)?))));
        (changes, after)
    }

    fn group(&self, change: &'h Change) -> impl Iterator<Item = &'h Change> {
        self.plan.changes.iter().filter(|other| other.group.is_some() && other.group == change.group)
    }

    /// The policies that the group of a change attaches to the entity.
    fn with(&self, change: &'h Change, entity: &str) -> Vec<String> {
        let attached = self.group(change).filter(|other| other.action == ChangeAction::Attach);
        let own = attached.filter(|other| other.target.owner.as_deref() == Some(entity));
        own.map(|other| format!("policy/{}", other.target.name)).collect()
    }

    /// The text of a policy that is attached: a new one, or one that is there and stays as it is.
    fn text(&self, address: &str) -> Option<String> {
        let graph = self.analysis.graph();
        let existing = || graph.policy(graph.find(address)?)?.document().map(|document| document.text().to_owned());
        self.change(address).and_then(|change| change.after.clone()).or_else(existing)
    }

    fn planned(&self, change: &Change, main: &Change, mut with: Vec<String>) -> PlannedChange {
        with.sort();
        with.dedup();
        let arn = self.analysis.inputs().account.principals.get(self.holder.principal.0).map(|own| &own.arn);
        let still = main.still_granted_by.iter().filter(|still| self.plan.principals.get(still.principal) == arn);
        PlannedChange {
            address: change.address.clone(),
            action: change.action,
            with,
            removed: main.removed.iter().map(|removed| removed.count).sum(),
            size: main.size,
            readmitted: main.readmitted.clone(),
            frozen: main.frozen.clone(),
            still_granted_by: still
                .map(|still| StillGrants { policy: still.policy.clone(), count: still.count })
                .collect(),
            resources: main.resources.clone(),
            statements: main.statements.clone(),
        }
    }

    fn withheld(&self) -> impl Iterator<Item = &'h Withheld> {
        let mut addresses: Vec<String> = self.entities().iter().map(|entity| self.attachment(entity)).collect();
        addresses.push(self.address().to_owned());
        self.plan.withheld.iter().filter(move |withheld| addresses.contains(&withheld.address))
    }

    fn advice(&self) -> impl Iterator<Item = &'h Advice> {
        let address = self.address();
        let is_about = move |advice: &&Advice| {
            advice.subject == address && ["aws-managed", "kms-keys"].contains(&advice.kind.as_str())
        };
        self.plan.advice.iter().filter(is_about)
    }
}

/// Whether what is withheld of the policy may be why an action of these statements stays, which may go.
fn is_about(withheld: &Withheld, grants: &[StatementGrant], service: &str) -> bool {
    match withheld.reason.as_str() {
        // That is of other actions.
        "rule-expired" => false,
        "too-recent" | "contradicted" => service == "kms",
        "not-action" | "not-inverted" => grants.iter().any(|grant| grant.not_action),
        "does-not-fit" | "catalog-too-old" | "without-colon" if withheld.detail.contains("left as written") => {
            let is_named = |pattern: &String| withheld.detail.contains(&format!("`{pattern}`"));
            grants.iter().any(|grant| grant.not_action || grant.patterns.iter().any(is_named))
        }
        _ => true,
    }
}

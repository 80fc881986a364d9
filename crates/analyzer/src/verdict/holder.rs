//! The facts about one holder, and the verdicts on what it holds.

mod in_runs;

use std::collections::BTreeMap;

use super::grant::{self, Granted, PolicyGrants, UNDATED};
use super::history::GrantIndex;
use super::in_order::InOrder;
use super::key_use::{self, KeyUse};
use super::protection::{self, Protection};
use super::regions::RegionEvidence;
use super::report::{self, NoEvidence, ReportTimes, SERVICE_TRACKING_PERIOD};
use super::{ActionFacts, Facts, GrantWitness, ServiceFacts, SetAside, Verdict};
use crate::account::{Account, ActionRow, Granularity, ManagedPolicy, Principal, Report, ServiceKey, ServiceRow};
use crate::catalog::{ActionId, ActionSet, Catalog, ServiceId, Tracked};
use crate::graph::{Graph, Holder, PolicyId};
use crate::rules::{Force, KmsViaService, PolicyFacts, PrincipalFacts, Rules, Settings};
use crate::time::{DAY, UnixTime};

/// What is known about one principal, whatever the policy.
#[derive(Debug)]
pub struct HolderEvidence<'a> {
    account: &'a Account,
    principal: &'a Principal,
    address: String,
    settings: &'a Settings,
    regions: RegionEvidence,
    /// Why the principal is set aside.
    pub set_aside: Option<SetAside>,
    report: Result<(&'a Report, ReportTimes), NoEvidence>,
    /// The last uses of access keys within `min_idle_days` before the report.
    key_uses: Vec<KeyUse<'a>>,
    /// Protections that hold in every policy, by action.
    protected: Vec<(ActionId, Protection)>,
    /// What else protects the actions that services may use on the principal's behalf.
    under_kms: BTreeMap<ActionId, Protection>,
}

/// What is known about one principal and one of its policies.
#[derive(Debug)]
pub struct HolderPolicy<'a> {
    set_aside: Option<SetAside>,
    grants: &'a PolicyGrants,
    /// Since when the holder can have used anything of the policy, and whether that rests on an assumed date of the grant.
    floor: (UnixTime, bool),
    /// Protections by rules about this policy.
    protected: BTreeMap<ActionId, Protection>,
    /// The actions that this policy allows on unused KMS keys only.
    kms_lifted: &'a ActionSet,
}

/// What [`HolderEvidence::policy`] must know of a policy, whoever holds it.
#[derive(Clone, Copy, Debug)]
pub struct AboutPolicy<'b, 'g> {
    /// The graph of the account.
    pub graph: &'g Graph<'g>,
    /// The policy.
    pub policy: PolicyId,
    /// Why the policy is set aside.
    pub set_aside: Option<&'g SetAside>,
    /// What its versions tell.
    pub grants: &'b PolicyGrants,
    /// The actions that it allows on unused KMS keys only: [`Protection::KmsViaService`] does not hold there.
    pub kms_lifted: &'b ActionSet,
    /// An older snapshot.
    pub witness: Option<&'g GrantWitness<'g>>,
    /// The event history.
    pub history: &'g GrantIndex<'g>,
    /// The rules.
    pub rules: &'g Rules,
    /// When rules are judged.
    pub now: UnixTime,
}

impl<'a> HolderEvidence<'a> {
    /// Finds the facts about a principal.
    pub fn new(
        account: &'a Account,
        principal: &'a Principal,
        settings: &'a Settings,
        regions: &RegionEvidence,
        set_aside: Option<SetAside>,
        now: UnixTime,
    ) -> HolderEvidence<'a> {
        let report = report::usable(account, principal, settings, now);
        let times = report.as_ref().ok().map(|(_, times)| *times);
        let key_uses = times.map_or_else(Vec::new, |times| key_use::recent(account, principal, settings, times));
        let mut evidence = HolderEvidence {
            account,
            principal,
            address: principal.address(),
            settings,
            regions: regions.clone(),
            set_aside,
            report,
            key_uses,
            protected: Vec::new(),
            under_kms: BTreeMap::new(),
        };
        evidence.protect();
        evidence
    }

    /// Returns the principal.
    pub fn principal(&self) -> &'a Principal {
        self.principal
    }

    /// Returns the report, or why there is none that counts.
    pub fn report(&self) -> Result<(&'a Report, ReportTimes), &NoEvidence> {
        self.report.as_ref().copied()
    }

    /// Returns whether neither the report nor an access key shows any use within `min_idle_days`, of a principal that existed
    /// all along.
    pub fn is_dormant(&self) -> bool {
        let Ok((report, times)) = &self.report else { return false };
        let window_start = times.observed.plus(-self.settings.min_idle());
        let used = |time: Option<UnixTime>| time.is_some_and(|time| time > window_start);
        self.principal.created.is_some_and(|created| created <= window_start)
            && !used(self.principal.last_used)
            // A use that has no date may be of today.
            && (self.principal.last_used.is_some() || self.principal.last_used_region.is_none())
            && self.key_uses.is_empty()
            && !report.services.iter().any(|row| used(row.last_use()))
    }

    fn catalog(&self) -> &'a Catalog {
        &self.account.catalog
    }

    fn is_active(&self, row: &ServiceRow, times: ReportTimes) -> bool {
        row.last_use().is_some_and(|last| times.observed.since(last) < self.settings.min_idle())
    }

    fn protect(&mut self) {
        let catalog = self.catalog();
        let runtime = protection::runtime_actions(catalog, self.principal).into_iter();
        let mut protected: BTreeMap<ActionId, Protection> =
            runtime.map(|(id, service)| (id, Protection::Runtime(service))).collect();
        if self.settings.kms_via_service == KmsViaService::Protect && self.uses_more_than_kms() {
            for id in protection::kms_data_plane(catalog).iter() {
                if let Some(other) = protected.insert(id, Protection::KmsViaService) {
                    self.under_kms.insert(id, other);
                }
            }
        }
        if let Some(id) = catalog.parse_action("iam:PassRole") {
            protected.insert(id, Protection::PassRole);
        }
        if let Ok(report) = &self.report {
            let services = key_use::contradicted(catalog, *report, self.settings, &self.key_uses);
            for (id, protection) in key_use::by_action(catalog, &services) {
                match protected.get(&id) {
                    // This one is lifted where a policy is about unused keys alone.
                    Some(Protection::KmsViaService) => drop(self.under_kms.insert(id, protection)),
                    Some(_) => {}
                    None => drop(protected.insert(id, protection)),
                }
            }
        }
        self.protected = protected.into_iter().collect();
    }

    fn uses_more_than_kms(&self) -> bool {
        let Ok((report, times)) = &self.report else { return true };
        if key_use::is_more_than_kms(&self.key_uses) {
            return true;
        }
        // A use that has no date may be of today, and of anything.
        if self.principal.last_used.is_none() && self.principal.last_used_region.is_some() {
            return true;
        }
        // A service that only resource policies let the role use is not in its report; its last use is in the role's own.
        if self.principal.last_used.is_some_and(|last| times.observed.since(last) < self.settings.min_idle()) {
            let kms_use =
                self.catalog().service("kms").and_then(|kms| report.service(kms)).and_then(ServiceRow::last_use);
            // Whole days apart means another service than KMS was last.
            if kms_use.is_none_or(|kms_use| self.principal.last_used.is_some_and(|last| last.since(kms_use) > DAY)) {
                return true;
            }
        }
        let kms = self.catalog().service("kms").map(ServiceKey::Known);
        report.services.iter().any(|row| Some(&row.service) != kms.as_ref() && self.is_active(row, *times))
    }

    /// Finds the facts about one policy that the principal holds.
    pub fn policy<'b>(&self, holder: &Holder, about: &AboutPolicy<'b, '_>) -> HolderPolicy<'b> {
        let AboutPolicy { graph, policy, set_aside, grants, kms_lifted, rules, now, .. } = *about;
        let reference = graph.policy(policy);
        let address = graph.address(policy);
        let floor = match &self.report {
            Ok((_, times)) => {
                let (since, assumed) = self.granted_since(holder, about, *times);
                (since.max(self.regions.tracking_start), assumed)
            }
            Err(_) => (UnixTime(0), false),
        };
        let mut held = HolderPolicy {
            set_aside: self.set_aside.clone().or_else(|| set_aside.cloned()),
            grants,
            floor,
            protected: BTreeMap::new(),
            kms_lifted,
        };
        if let Some(reference) = reference {
            let principal = PrincipalFacts::of(self.principal, &self.address);
            let policy = PolicyFacts::of(reference, address);
            held.set_aside =
                held.set_aside.or_else(|| rules.set_aside(now, |rule| rule.ignores_together(&principal, &policy)));
            held.protected = self.keep_rules(rules, &principal, &policy, now);
        }
        held
    }

    fn keep_rules(
        &self,
        rules: &Rules,
        principal: &PrincipalFacts<'_>,
        policy: &PolicyFacts<'_>,
        now: UnixTime,
    ) -> BTreeMap<ActionId, Protection> {
        let mut protected = BTreeMap::new();
        // Rules in force win over those that have expired, earlier ones over later ones.
        let mut about: Vec<(Force, usize)> = (rules.keep.iter().enumerate())
            .map(|(at, rule)| (rule.force(now), at, rule))
            .filter(|(force, _, rule)| *force != Force::Expired && rule.is_about(principal, policy))
            .map(|(force, at, _)| (force, at))
            .collect();
        about.sort_unstable();
        for (force, at) in about {
            let protection = match force {
                Force::InForce => Protection::KeepRule(at),
                _ => Protection::ExpiredKeepRule(at),
            };
            let Some(rule) = rules.keep.get(at) else { continue };
            if rule.actions.is_empty() {
                self.catalog().actions().for_each(|id| {
                    protected.entry(id).or_insert_with(|| protection.clone());
                });
            }
            for pattern in &rule.actions {
                self.catalog().each_match(pattern, |id| {
                    protected.entry(id).or_insert_with(|| protection.clone());
                });
            }
        }
        protected
    }

    /// Returns the verdict on an action of the catalogue.
    ///
    /// `related` is what [`Protection::Related`] covers for this holder, as [`Self::related`] found it; none before.
    pub fn verdict(&self, policy: &HolderPolicy<'_>, id: ActionId, related: Option<&RelatedActions>) -> Verdict {
        self.facts(policy, id, related).verdict()
    }

    /// Returns all that the verdict on an action depends on.
    pub fn facts(&self, policy: &HolderPolicy<'_>, id: ActionId, related: Option<&RelatedActions>) -> Facts {
        let service = self.catalog().service_of(id);
        let row = self.report.as_ref().ok().and_then(|(report, _)| report.service(service));
        let listed = row.and_then(|row| row.action(id));
        let keeps = Keeps {
            everywhere: InOrder::of(&self.protected).find(id),
            needed: related.and_then(|related| InOrder::of(&related.found).find(id)),
        };
        self.facts_by_row(policy, id, ServiceEvidence::new(self.catalog(), service, row), listed, keeps)
    }

    fn facts_by_row(
        &self,
        policy: &HolderPolicy<'_>,
        id: ActionId,
        of_service: ServiceEvidence<'_>,
        listed: Option<&ActionRow>,
        keeps: Keeps<'_>,
    ) -> Facts {
        let catalog = self.catalog();
        let everywhere = match keeps.everywhere {
            Some(Protection::KmsViaService) if policy.kms_lifted.contains(id) => self.under_kms.get(&id),
            other => other,
        };
        let protected = everywhere
            .or_else(|| policy.protected.get(&id))
            .cloned()
            .or_else(|| keeps.needed.map(|by| Protection::Related(catalog.full_name(*by).into())));
        let (since_service, since_action, assumed_grant) = self.since(policy, id, of_service.tracking_start);
        Facts {
            set_aside: policy.set_aside.clone(),
            observed: self.report.as_ref().map(|(_, times)| times.observed).map_err(Clone::clone),
            protected,
            service: of_service.row.map(|row| ServiceFacts { last_use: row.last_use(), since: since_service }),
            action: ActionFacts {
                in_catalog: true,
                tracked: matches!(catalog.tracked(id), Tracked::Yes { .. }),
                listed: listed.filter(|_| self.sees_actions()).map(ActionRow::last_accessed),
                since: since_action,
                assumed_grant,
            },
            regions: self.regions.problem.clone(),
            min_idle: self.settings.min_idle(),
        }
    }

    /// Whether the report was asked for actions: one that was not says nothing of them, whatever it lists.
    fn sees_actions(&self) -> bool {
        self.report.as_ref().is_ok_and(|(report, _)| report.granularity == Granularity::Action)
    }

    /// Returns since when the holder can have used anything of a policy, as far as grant, principal and boundary go, and whether
    /// the date of the grant was assumed; for what is seen up to `times`.
    pub fn granted_since(&self, holder: &Holder, about: &AboutPolicy<'_, '_>, times: ReportTimes) -> (UnixTime, bool) {
        let AboutPolicy { graph, policy, witness, history, .. } = *about;
        let granted = history.granted(graph, policy, holder, self.settings, times);
        let witnessed = match (witness, graph.policy(policy)) {
            (Some(witness), Some(reference)) if granted == Granted::Unknown => {
                witness.saw(graph, holder.principal, self.principal, reference, graph.address(policy))
            }
            _ => None,
        };
        let (grant, assumed) = grant::grant_floor(granted, witnessed, self.settings, times);
        // Without a date of creation the principal may be new.
        let created = self.principal.created.unwrap_or(times.observed);
        // Under the boundary as it was before, use may not have been possible; one that was not read may be of today.
        let ceiling = self
            .principal
            .boundary
            .as_ref()
            .map_or(created, |arn| self.account.policy(arn).and_then(in_force_since).unwrap_or(times.observed));
        // Nor before a Deny of another policy was lifted.
        let lifted = history.deny_lifted(graph, holder.principal).unwrap_or(created);
        (grant.max(created).max(ceiling).max(lifted), assumed)
    }

    /// Since when use of the action's service, and of the action, would have been seen; whether a grant date was assumed.
    fn since(&self, policy: &HolderPolicy<'_>, id: ActionId, start: UnixTime) -> (UnixTime, UnixTime, bool) {
        let Ok((_, times)) = &self.report else { return (UnixTime(0), UnixTime(0), false) };
        let (floor, assumed) = policy.floor;
        let floor = policy.grants.introduced(id).map_or(floor, |introduced| floor.max(introduced));
        let floor = if floor == UNDATED { times.observed } else { floor };
        let service = floor.max(times.generated_at.plus(-SERVICE_TRACKING_PERIOD));
        let tracked_since = match self.catalog().tracked(id) {
            Tracked::Yes { since } => since,
            Tracked::No | Tracked::Unknown => None,
        };
        let action = floor.max(start).max(tracked_since.unwrap_or(start));
        (service, action, assumed)
    }

    /// Returns what AWS checks on the way of the actions that stay for this holder.
    pub fn related(&self, kept: &ActionSet) -> RelatedActions {
        RelatedActions { found: protection::related_to(self.catalog(), kept) }
    }
}

/// Since when a policy says what it says now, at the earliest; none where its versions do not tell. A younger version than the
/// one in force may have been in force in between.
fn in_force_since(policy: &ManagedPolicy) -> Option<UnixTime> {
    let since = policy.default()?.created?;
    let younger =
        policy.versions.iter().map(|version| version.created).filter(|created| created.is_none_or(|at| at > since));
    younger.into_iter().try_fold(since, |latest, created| Some(latest.max(created?)))
}

/// Why an action is kept whatever the policy.
#[derive(Clone, Copy, Default)]
struct Keeps<'a> {
    /// The protection that holds in every policy.
    everywhere: Option<&'a Protection>,
    /// The action that stays and needs this one.
    needed: Option<&'a ActionId>,
}

/// What holds for all actions of a service.
#[derive(Clone, Copy)]
struct ServiceEvidence<'r> {
    row: Option<&'r ServiceRow>,
    tracking_start: UnixTime,
}

impl<'r> ServiceEvidence<'r> {
    fn new(catalog: &Catalog, service: ServiceId, row: Option<&'r ServiceRow>) -> ServiceEvidence<'r> {
        ServiceEvidence { row, tracking_start: action_tracking_start(catalog.service_prefix(service)) }
    }
}

/// What AWS checks on the way of the actions that stay, each with the action that needs it; by action.
#[derive(Debug, Default)]
pub struct RelatedActions {
    found: Vec<(ActionId, ActionId)>,
}

impl RelatedActions {
    /// Returns the action that needs this one.
    pub fn of(&self, id: ActionId) -> Option<ActionId> {
        self.found.binary_search_by_key(&id, |(id, _)| *id).ok().and_then(|at| self.found.get(at)).map(|(_, by)| *by)
    }

    /// Returns all, by action.
    pub fn iter(&self) -> impl Iterator<Item = ActionId> + '_ {
        self.found.iter().map(|(id, _)| *id)
    }
}

/// When AWS began to report the last use of a service's actions.
///
/// See <https://docs.aws.amazon.com/IAM/latest/UserGuide/access_policies_last-accessed.html#last-accessed_tracking-period>.
fn action_tracking_start(service: &str) -> UnixTime {
    // 2020-04-12, 2021-04-07 and 2023-05-23, 00:00 UTC.
    match service {
        "s3" => UnixTime(1_586_649_600),
        "ec2" | "iam" | "lambda" => UnixTime(1_617_753_600),
        _ => UnixTime(1_684_800_000),
    }
}

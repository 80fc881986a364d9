//! Everything that the emulator knows, behind one lock.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use super::account::Account;
use super::sessions::Sessions;
use super::usage::UsageLog;
use crate::emulator::behaviour::Behaviour;
use crate::emulator::clock::Clock;
use crate::emulator::cloudtrail::Trail;
use crate::emulator::control::CallLog;
use crate::emulator::iam::CredentialReport;
use crate::emulator::ids::Ids;
use crate::emulator::kms::Keys;
use crate::emulator::report::{Derivation, Jobs};
use crate::emulator::time::Time;

/// Everything that the emulator knows.
#[derive(Debug)]
pub struct World {
    /// The account as it is.
    account: Arc<Account>,
    /// The account as it was until a moment, while the change is not seen by everyone.
    seen: VecDeque<(Time, Arc<Account>)>,
    /// The clock.
    pub clock: Clock,
    /// The source of ids.
    pub ids: Ids,
    /// The source of request ids, which must not depend on what calls do.
    pub request_ids: Ids,
    /// Who did what.
    pub usage: UsageLog,
    /// Jobs of last-accessed reports.
    pub jobs: Jobs,
    /// The credential report, if there is one.
    pub credential_report: Option<CredentialReport>,
    /// What documents allow, computed once per set of documents.
    pub derivation: Derivation,
    /// Sessions.
    pub sessions: Sessions,
    /// The caller behind the operator's key: an ARN.
    pub operator: String,
    /// KMS keys of all Regions.
    pub keys: Keys,
    /// CloudTrail's event history.
    pub trail: Trail,
    /// Regions and their opt-in status.
    pub regions: BTreeMap<String, String>,
    /// What is to go wrong, and how fast.
    pub behaviour: Behaviour,
    /// Every call received.
    pub calls: CallLog,
}

/// The Regions that every account of the partition `aws` has without asking.
///
/// See <https://docs.aws.amazon.com/accounts/latest/reference/manage-acct-regions.html>.
const DEFAULT_REGIONS: [&str; 17] = [
    "ap-northeast-1",
    "ap-northeast-2",
    "ap-northeast-3",
    "ap-south-1",
    "ap-southeast-1",
    "ap-southeast-2",
    "ca-central-1",
    "eu-central-1",
    "eu-north-1",
    "eu-west-1",
    "eu-west-2",
    "eu-west-3",
    "sa-east-1",
    "us-east-1",
    "us-east-2",
    "us-west-1",
    "us-west-2",
];

impl World {
    /// An account that nobody has used yet.
    pub fn new(account: Account, clock: Clock, seed: u64) -> Self {
        let operator = format!("arn:{}:iam::{}:root", account.partition, account.id);
        let enabled = |region: &&str| ((*region).to_owned(), String::from("ENABLED_BY_DEFAULT"));
        Self {
            account: Arc::new(account),
            seen: VecDeque::new(),
            clock,
            ids: Ids::new(seed),
            request_ids: Ids::new(seed ^ 0x5eed_0f1d),
            usage: UsageLog::default(),
            jobs: Jobs::default(),
            credential_report: None,
            derivation: Derivation::default(),
            sessions: Sessions::default(),
            operator,
            keys: Keys::default(),
            trail: Trail::default(),
            regions: DEFAULT_REGIONS.iter().map(enabled).collect(),
            behaviour: Behaviour::default(),
            calls: CallLog::default(),
        }
    }

    /// The account as it is.
    pub const fn account(&self) -> &Arc<Account> {
        &self.account
    }

    /// The account as reads see it: changes show some time after they were made.
    pub fn seen(&self, now: Time) -> &Arc<Account> {
        let old = self.seen.iter().find(|(until, _)| now < *until);
        old.map_or(&self.account, |(_, account)| account)
    }

    /// The account, to change.
    pub fn edit(&mut self) -> &mut Account {
        let now = self.clock.now();
        while self.seen.front().is_some_and(|(until, _)| *until <= now) {
            self.seen.pop_front();
        }
        let lag = self.behaviour.consistency_millis;
        if lag > 0 {
            self.seen.push_back((now.plus(lag), Arc::clone(&self.account)));
        }
        Arc::make_mut(&mut self.account)
    }

    /// The account, for a change that is no write of a client and that everyone sees at once.
    pub fn unseen_edit(&mut self) -> &mut Account {
        Arc::make_mut(&mut self.account)
    }
}

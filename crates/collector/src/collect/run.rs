//! What all parts of a collection share.

use std::collections::BTreeSet;
use std::error::Error;
use std::future::Future;
use std::io::{self, Write};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

use aws_sdk_iam::config::http::HttpResponse;
use aws_sdk_iam::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_iam::operation::RequestId;
use secateur_analyzer::account::Gap;
use secateur_analyzer::time::UnixTime;
use serde::Serialize;
use tokio::task::{JoinHandle, JoinSet};

use super::earlier::Existing;
use super::outages::{Outages, Verdict, is_down};
use super::regions::Statuses;
use super::stage::Stage;
use super::target::{Known, Target};
use super::{CollectError, Options, Progress, gap};
use crate::aws::{AwsError, Call, Clients, ErrorKind, Session};
use crate::snapshot::print;

/// How many of one kind of thing are read at a time.
const AT_A_TIME: usize = 32;
/// How often something is read whose pages contradict each other.
const READINGS: u32 = 3;

/// What to think of credentials that are taken elsewhere.
const NOT_THERE: &str = "AWS takes the credentials elsewhere: the Region is not enabled for the account, or not for this session \
                         (tokens of the global STS endpoint are not valid in Regions that were opted into)";

/// What AWS answered, or why it did not: a gap. The outer error ends the collection.
pub(super) type Answer<T> = Result<Result<T, AwsError>, CollectError>;

/// What all parts of a collection share.
pub(super) struct Run {
    pub session: Session,
    pub options: Options,
    pub progress: Arc<dyn Progress>,
    /// With the lock of the directory: a write that is under way when the collection is dropped holds both.
    stage: Arc<Mutex<Stage>>,
    /// Whose turn it is to write.
    writing: tokio::sync::Mutex<()>,
    gaps: Mutex<BTreeSet<Gap>>,
    /// KMS keys that policies name and that are not there.
    gone: Mutex<BTreeSet<String>>,
    outages: Outages,
    regions: OnceLock<Statuses>,
    principals: OnceLock<Known>,
}

/// Returns whether pages that were answered contradict each other: another reading may not.
pub(super) fn is_contradiction(error: &AwsError) -> bool {
    *error.kind() == ErrorKind::Answer && !error.was_repeated()
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Run {
    pub fn new(session: Session, stage: Stage, options: Options, progress: Arc<dyn Progress>) -> Run {
        Run {
            session,
            options,
            progress,
            stage: Arc::new(Mutex::new(stage)),
            writing: tokio::sync::Mutex::default(),
            gaps: Mutex::default(),
            gone: Mutex::default(),
            outages: Outages::default(),
            regions: OnceLock::new(),
            principals: OnceLock::new(),
        }
    }

    /// Takes it apart when all is done.
    pub fn into_parts(self) -> Result<(Session, Stage, Vec<Gap>, Options), CollectError> {
        let stage = Arc::into_inner(self.stage).ok_or(CollectError::Unfinished)?;
        let stage = stage.into_inner().unwrap_or_else(PoisonError::into_inner);
        let gaps = self.gaps.into_inner().unwrap_or_else(PoisonError::into_inner);
        Ok((self.session, stage, gaps.into_iter().collect(), self.options))
    }

    /// Returns whether the user asked for this principal.
    pub fn is_in_scope(&self, target: &Target) -> bool {
        target.is_among(&self.options.principals)
    }

    /// Takes note of the Regions of the account, and whether each is enabled.
    pub fn knows_regions(&self, regions: Statuses) {
        // Said once, by whoever reads them.
        let _ = self.regions.set(regions);
    }

    /// Takes note of who is in the account.
    pub fn knows_principals(&self, principals: Known) {
        // Said once, when the details are read.
        let _ = self.principals.set(principals);
    }

    /// Returns whether that is a user or a role of the account.
    pub fn is_principal(&self, arn: &str) -> bool {
        self.principals.get().is_some_and(|principals| principals.has(arn))
    }

    /// Returns whether AWS says that a Region is off: then nobody answers there.
    pub fn is_off(&self, region: &str) -> bool {
        self.regions.get().is_some_and(|regions| regions.is_off(region))
    }

    /// Makes a call; see [`Session::call`].
    pub async fn call<O, E, F>(&self, call: &Call<'_>, send: impl Fn(Arc<Clients>) -> F) -> Answer<O>
    where
        O: RequestId + Send + 'static,
        E: Error + ProvideErrorMetadata + 'static,
        F: Future<Output = Result<O, SdkError<E, HttpResponse>>> + Send,
    {
        if let Some(error) = self.outages.instead(call) {
            return Ok(Err(error));
        }
        match self.session.call(call, send).await {
            Ok(output) => {
                self.outages.answered(call);
                Ok(Ok(output))
            }
            Err(error) => self.judge(call, error).await.map(Err),
        }
    }

    /// Ends the collection when a failure is one of everything, and not of this call alone.
    async fn judge(&self, call: &Call<'_>, error: AwsError) -> Result<AwsError, CollectError> {
        match self.outages.failed(call, &error) {
            Verdict::Gap => Ok(error),
            Verdict::End => Err(error.into()),
            Verdict::AskWhoCalls => match self.session.ask_who_calls().await {
                Ok(()) => Ok(if call.region.is_empty() { error } else { error.and(NOT_THERE) }),
                Err(ended) if is_down(&ended) || *ended.kind() == ErrorKind::Throttled => Ok(error),
                Err(ended) => Err(ended.into()),
            },
            // No collection has come so far without an answer to this one; of an optional one nobody knows.
            Verdict::AskIam => match super::details::ask_one(&self.session).await {
                Err(down) if is_down(&down) => Err(error.into()),
                Err(_) | Ok(()) => Ok(error),
            },
        }
    }

    /// Reads something of several pages anew when its pages contradict each other.
    pub async fn whole<T, F>(&self, read: impl Fn() -> F) -> Answer<T>
    where
        F: Future<Output = Answer<T>>,
    {
        let mut readings = 1;
        loop {
            match read().await? {
                Err(error) if is_contradiction(&error) && readings < READINGS => readings += 1,
                result => return Ok(result),
            }
        }
    }

    /// Notes that something is missing.
    pub fn gap(&self, gap: Gap) {
        locked(&self.gaps).insert(gap);
    }

    /// Notes what the snapshot that is to be replaced says is missing of somebody who is not read anew.
    pub fn carry_gaps(&self, arn: &str, is_of_these: impl Fn(&Gap) -> bool) {
        let gaps = self.stage(|stage| stage.earlier().published_gaps(arn));
        gaps.into_iter().filter(|gap| is_of_these(gap)).for_each(|gap| self.gap(gap));
    }

    /// Notes that a KMS key that policies name is not there: nothing is missing, and nobody reads it later.
    pub fn gone(&self, key: &str) {
        locked(&self.gone).insert(key.to_owned());
    }

    /// Returns what there is to say of KMS keys that are not there.
    pub fn note_of_gone(&self) -> Option<String> {
        let gone = locked(&self.gone);
        let first = gone.first()?;
        let (count, such) =
            if gone.len() == 1 { (String::new(), "") } else { (format!("{} ", gone.len()), "such as ") };
        let (keys, do_not) = if gone.len() == 1 { ("a KMS key", "does not") } else { ("KMS keys", "do not") };
        Some(format!(
            "policies name {count}{keys} that {do_not} exist: {such}{first}; take what is gone out of the policies"
        ))
    }

    /// Notes what is missing because a call failed.
    pub fn gap_of(&self, subject: &str, error: &AwsError) {
        let kind = match error.kind() {
            ErrorKind::Denied(_) => "access-denied",
            ErrorKind::NotFound => "deleted",
            ErrorKind::Throttled => "throttled",
            ErrorKind::Transient => "unreachable",
            ErrorKind::Answer => "answer-not-whole",
            _ => "refused",
        };
        let detail = match error.kind() {
            ErrorKind::Denied(permission) => {
                format!("{}: the permission {permission} is missing: {}", error.operation(), error.message())
            }
            _ => format!("{}: {}", error.operation(), error.message()),
        };
        self.gap(gap(subject, kind, detail));
    }

    /// Returns what there is of a file already.
    pub fn existing(&self, name: &str) -> Option<Existing> {
        locked(&self.stage).earlier().existing(name)
    }

    /// Looks at the stage, or changes it.
    pub fn stage<T>(&self, look: impl FnOnce(&mut Stage) -> T) -> T {
        look(&mut locked(&self.stage))
    }

    /// Takes a file over that is there already, if it is of `arn`, young enough, and not of somebody of before `created` whose
    /// name that was.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn keeps(&self, name: &str, arn: &str, created: Option<UnixTime>) -> Result<bool, CollectError> {
        self.keeps_if(name, |existing| existing.stands_for(arn, created))
    }

    /// Takes a file over that is there already, if `is_good` says so.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn keeps_if(&self, name: &str, is_good: impl Fn(&Existing) -> bool) -> Result<bool, CollectError> {
        let Some(existing) = self.existing(name).filter(is_good) else { return Ok(false) };
        self.stage(|stage| stage.keep(name, &existing))?;
        Ok(true)
    }

    /// Writes a file, off the threads that calls wait on.
    pub async fn put(&self, name: String, content: &impl Serialize) -> Result<(), CollectError> {
        let mut text = Vec::new();
        print(&mut text, content).map_err(|_| CollectError::Unfinished)?;
        self.put_with(name, move |into| into.write_all(&text)).await
    }

    /// Writes a file as [`put`](Run::put) does, piece by piece: its text never stands in memory.
    ///
    /// One at a time: each thread that waits for the stage has memory of its own, and the disk is no faster with more of them.
    pub async fn put_with(
        &self,
        name: String,
        write: impl FnOnce(&mut dyn Write) -> io::Result<()> + Send + 'static,
    ) -> Result<(), CollectError> {
        let _turn = self.writing.lock().await;
        let stage = Arc::clone(&self.stage);
        let written = tokio::task::spawn_blocking(move || locked(&stage).put_with(&name, write));
        written.await.unwrap_or(Err(CollectError::Unfinished))
    }

    /// Starts a part of the collection beside the others.
    pub fn spawn<T: Send + 'static>(
        &self,
        part: impl Future<Output = Result<T, CollectError>> + Send + 'static,
    ) -> JoinHandle<Result<T, CollectError>> {
        tokio::spawn(part)
    }

    /// Waits for a part.
    pub async fn joined<T>(&self, part: JoinHandle<Result<T, CollectError>>) -> Result<T, CollectError> {
        part.await.unwrap_or(Err(CollectError::Unfinished))
    }

    /// Does something with each of many, some at a time.
    pub async fn each<T, F>(self: &Arc<Run>, all: Vec<T>, act: impl Fn(Arc<Run>, T) -> F) -> Result<(), CollectError>
    where
        T: Send + 'static,
        F: Future<Output = Result<(), CollectError>> + Send + 'static,
    {
        let mut tasks = JoinSet::new();
        for one in all {
            if tasks.len() >= AT_A_TIME {
                ended(tasks.join_next().await)?;
            }
            tasks.spawn(act(Arc::clone(self), one));
        }
        while !tasks.is_empty() {
            ended(tasks.join_next().await)?;
        }
        Ok(())
    }
}

fn ended(result: Option<Result<Result<(), CollectError>, tokio::task::JoinError>>) -> Result<(), CollectError> {
    result.unwrap_or(Ok(Ok(()))).unwrap_or(Err(CollectError::Unfinished))
}

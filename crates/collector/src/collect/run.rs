//! What all parts of a collection share.

use std::collections::{BTreeMap, BTreeSet};
use std::error::Error;
use std::future::Future;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use aws_sdk_iam::config::http::HttpResponse;
use aws_sdk_iam::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_iam::operation::RequestId;
use secateur_analyzer::account::Gap;
use secateur_analyzer::time::UnixTime;
use serde::Serialize;
use tokio::task::{JoinHandle, JoinSet};

use super::stage::{Existing, Stage};
use super::target::Target;
use super::{CollectError, Options, Progress, gap};
use crate::aws::{AwsError, Call, Clients, ErrorKind, Session};

/// How many of one kind of thing are read at a time.
const AT_A_TIME: usize = 32;
/// After so many denials and nothing else, an operation is not asked for any more.
const DENIALS: usize = 10;
/// After so many calls in a row that found nobody, AWS cannot be reached.
const FAILURES: usize = 10;
/// How often something is read whose pages contradict each other.
const READINGS: u32 = 3;

/// What AWS answered, or why it did not: a gap. The outer error ends the collection.
pub(super) type Answer<T> = Result<Result<T, AwsError>, CollectError>;

/// What all parts of a collection share.
pub(super) struct Run {
    pub session: Session,
    pub options: Options,
    pub progress: Arc<dyn Progress>,
    stage: Arc<Mutex<Stage>>,
    gaps: Mutex<BTreeSet<Gap>>,
    denials: Mutex<BTreeMap<&'static str, Denials>>,
    failures: AtomicUsize,
}

/// What became of the calls of one operation.
#[derive(Clone, Debug)]
enum Denials {
    /// One was allowed, so the next may be.
    Some,
    /// All were denied: how many, and the last.
    Only(usize, AwsError),
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
            gaps: Mutex::default(),
            denials: Mutex::default(),
            failures: AtomicUsize::new(0),
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

    /// Makes a call; see [`Session::call`].
    pub async fn call<O, E, F>(&self, call: &Call<'_>, send: impl Fn(Arc<Clients>) -> F) -> Answer<O>
    where
        O: RequestId,
        E: Error + ProvideErrorMetadata + 'static,
        F: Future<Output = Result<O, SdkError<E, HttpResponse>>>,
    {
        let denied = locked(&self.denials).get(call.operation).cloned();
        if let Some(Denials::Only(count, error)) = denied
            && count >= DENIALS
        {
            return Ok(Err(error));
        }
        let result = self.session.call(call, send).await;
        self.note(call.operation, result)
    }

    fn note<O>(&self, operation: &'static str, result: Result<O, AwsError>) -> Answer<O> {
        let failures = match &result {
            Err(error) if *error.kind() == ErrorKind::Transient => self.failures.fetch_add(1, Ordering::Relaxed) + 1,
            _ => {
                self.failures.store(0, Ordering::Relaxed);
                0
            }
        };
        match result {
            Err(error) if matches!(error.kind(), ErrorKind::Credentials | ErrorKind::Expired) => Err(error.into()),
            Err(error) if failures >= FAILURES => Err(error.into()),
            Err(error) => {
                if let ErrorKind::Denied(_) = error.kind() {
                    let mut denials = locked(&self.denials);
                    let denials = denials.entry(operation).or_insert_with(|| Denials::Only(0, error.clone()));
                    if let Denials::Only(count, _) = denials {
                        *count += 1;
                    }
                }
                Ok(Err(error))
            }
            Ok(output) => {
                locked(&self.denials).insert(operation, Denials::Some);
                Ok(Ok(output))
            }
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
                Err(error) if *error.kind() == ErrorKind::Answer && readings < READINGS => readings += 1,
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
        let gaps = self.stage(|stage| stage.published_gaps(arn));
        gaps.into_iter().filter(|gap| is_of_these(gap)).for_each(|gap| self.gap(gap));
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
        locked(&self.stage).existing(name)
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
        #[derive(serde::Deserialize)]
        struct Head {
            #[serde(rename = "Arn")]
            arn: Option<String>,
        }
        let is_good = |existing: &Existing| existing.is_good_for(created);
        let Some(existing) = self.existing(name).filter(is_good) else { return Ok(false) };
        let head = serde_json::from_slice::<Head>(&existing.content);
        if head.is_ok_and(|head| head.arn.as_deref() == Some(arn)) {
            self.stage(|stage| stage.keep(name, &existing))?;
            return Ok(true);
        }
        Ok(false)
    }

    /// Writes a file, off the threads that calls wait on.
    pub async fn put(&self, name: String, content: &impl Serialize) -> Result<(), CollectError> {
        let content = printed(content)?;
        let stage = Arc::clone(&self.stage);
        let written = tokio::task::spawn_blocking(move || locked(&stage).put(&name, &content));
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

/// Returns a value as the text of a file.
pub(super) fn printed(value: &impl Serialize) -> Result<Vec<u8>, CollectError> {
    let mut text = serde_json::to_vec_pretty(value).map_err(|_| CollectError::Unfinished)?;
    text.push(b'\n');
    Ok(text)
}

//! AWS's service reference of the day: which actions there are, and which of them reports track.

use std::sync::Arc;
use std::time::Duration;

use aws_sdk_iam::config::http::HttpRequest;
use aws_smithy_runtime_api::client::http::HttpConnector;
use aws_smithy_types::body::SdkBody;
use secateur_analyzer::catalog::Catalog;
use secateur_analyzer::time::UnixTime;
use serde::Deserialize;
use tokio::task::JoinSet;

use super::CollectError;
use super::names;
use super::run::Run;

/// How many files are fetched at a time.
const AT_A_TIME: usize = 8;
/// How long one file may take.
const PATIENCE: Duration = Duration::from_secs(20);

/// One service of the index.
#[derive(Debug, Deserialize)]
struct Entry {
    service: String,
    url: String,
}

/// Collects the reference whole, or leaves it out: secateur carries one of its own. Returns what there is to say of that.
///
/// See <https://docs.aws.amazon.com/service-authorization/latest/reference/service-reference.html>.
pub(super) async fn collect(run: Arc<Run>) -> Result<Option<String>, CollectError> {
    let Some(root) = run.options.reference.clone() else { return Ok(None) };
    if run.session.endpoint().is_some() && !run.options.reference_is_asked_for {
        return Ok(None);
    }
    let known = run.stage(|stage| stage.earlier().published_below("catalog/"));
    let kept: Vec<_> = known.iter().filter_map(|name| Some((name, run.existing(name)?))).collect();
    let content = kept.iter().map(|(name, existing)| ((*name).clone(), existing.content.clone()));
    if !kept.is_empty() && parsed(&run, content.collect()).await?.is_ok() {
        for (name, existing) in &kept {
            run.stage(|stage| stage.keep(name, existing))?;
        }
        return Ok(None);
    }
    match fetch_all(&run, &root).await? {
        Ok(()) => Ok(None),
        Err(why) => Ok(Some(format!(
            "the service reference was left out, so that of this build of secateur counts: {root}: {why}"
        ))),
    }
}

async fn fetch_all(run: &Arc<Run>, root: &str) -> Result<Result<(), String>, CollectError> {
    let index = match fetch(run, root).await {
        Ok(index) => index,
        Err(why) => return Ok(Err(why)),
    };
    let Ok(entries) = serde_json::from_slice::<Vec<Entry>>(&index) else {
        return Ok(Err("the index is not a list of services".to_owned()));
    };
    let mut files = Vec::new();
    let mut entries = entries.into_iter();
    let mut tasks = JoinSet::new();
    loop {
        while tasks.len() < AT_A_TIME {
            let Some(entry) = entries.next() else { break };
            let run = Arc::clone(run);
            tasks.spawn(async move {
                let fetched = fetch(&run, &entry.url).await;
                (entry.service, fetched)
            });
        }
        match tasks.join_next().await {
            None => break,
            Some(Ok((service, Ok(content)))) => files.push((service, content)),
            Some(Ok((service, Err(why)))) => return Ok(Err(format!("{service}: {why}"))),
            Some(Err(_)) => return Err(CollectError::Unfinished),
        }
    }
    let files = match parsed(run, files).await? {
        Ok(files) => files,
        Err(why) => return Ok(Err(why)),
    };
    for (service, content) in files {
        run.stage(|stage| stage.put(&names::file("catalog", &service), &content))?;
    }
    Ok(Ok(()))
}

type Files = Vec<(String, Vec<u8>)>;

/// Returns the files if they are what whoever reads the snapshot takes: one that is not would make all of it unreadable.
async fn parsed(run: &Run, files: Files) -> Result<Result<Files, String>, CollectError> {
    let day = run.session.now();
    // It takes longer than what waits on these threads has time for.
    let checked = tokio::task::spawn_blocking(move || check(files, day));
    checked.await.map_err(|_| CollectError::Unfinished)
}

fn check(files: Files, day: UnixTime) -> Result<Files, String> {
    if files.is_empty() {
        return Err("the index lists no service".to_owned());
    }
    // A list passes for an object whose members are all left out.
    let is_object = |content: &[u8]| content.trim_ascii_start().first() == Some(&b'{');
    if let Some((name, _)) = files.iter().find(|(_, content)| !is_object(content)) {
        return Err(format!("{name}: not a file of the service reference"));
    }
    match Catalog::updated(Catalog::embedded(), &files, day) {
        Ok(_) => Ok(files),
        Err(error) => Err(error.to_string()),
    }
}

/// Fetches a file; it takes neither credentials nor permissions.
async fn fetch(run: &Run, url: &str) -> Result<Vec<u8>, String> {
    let mut request = HttpRequest::new(SdkBody::empty());
    request.set_uri(url).map_err(|error| error.to_string())?;
    let answer = tokio::time::timeout(PATIENCE, run.session.connector().call(request)).await;
    let mut response = match answer {
        Ok(Ok(response)) => response,
        Ok(Err(error)) => return Err(error.to_string()),
        Err(_) => return Err(format!("no answer after {} seconds", PATIENCE.as_secs())),
    };
    if !response.status().is_success() {
        return Err(format!("HTTP status {}", response.status().as_u16()));
    }
    let body = std::mem::replace(response.body_mut(), SdkBody::taken());
    let collected =
        tokio::time::timeout(PATIENCE, aws_smithy_types::byte_stream::ByteStream::new(body).collect()).await;
    match collected {
        Ok(Ok(bytes)) => Ok(bytes.into_bytes().to_vec()),
        Ok(Err(error)) => Err(error.to_string()),
        Err(_) => Err(format!("no end after {} seconds", PATIENCE.as_secs())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reference_that_cannot_be_read_is_left_out() {
        let day = UnixTime(1_700_000_000);
        let good = br#"{"Name": "s3", "Actions": [{"Name": "GetObject"}], "Resources": [], "Version": "v1.4"}"#;
        let files = |content: &[u8]| vec![("s3".to_owned(), content.to_vec())];
        assert_eq!(check(files(good), day), Ok(files(good)));
        for bad in ["<html>", "{}", "[]", "{\"Name\": 7}", ""] {
            assert!(check(files(bad.as_bytes()), day).is_err(), "{bad}");
        }
        assert!(check(Vec::new(), day).is_err());
    }
}

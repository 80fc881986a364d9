//! AWS's service reference: one JSON file per service, read as AWS writes it.
//!
//! See <https://docs.aws.amazon.com/service-authorization/latest/reference/service-reference.html>. Members that are not
//! needed here are skipped, whatever they are: AWS adds to this format. What is read becomes rows of tables with tabs and
//! commas between names, so a name that would break them is refused.

use std::collections::{BTreeMap, BTreeSet};

use serde::Deserialize;

use super::AccessLevel;

/// What is wrong with a file of the service reference.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{file}, {place}: {detail}")]
pub struct ServiceReferenceError {
    /// The file, by the name that the caller gave it.
    pub file: String,
    /// Where in the file.
    pub place: String,
    /// What is wrong there.
    pub detail: String,
}

/// What the reference says about one service.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServiceReference {
    /// The service's prefix.
    pub name: String,
    /// Its actions, as AWS orders them; no two differ by case alone.
    pub actions: Vec<ReferenceAction>,
    /// Its resource types.
    pub resources: Vec<ReferenceResource>,
    /// Its API operations; none when the file has no such member, as in older versions of the format, which is not to
    /// say that there are no operations.
    pub operations: Option<Vec<ReferenceOperation>>,
}

/// An action.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReferenceAction {
    /// The name without the service.
    pub name: String,
    /// What it can do; none when the reference does not say.
    pub access_level: Option<AccessLevel>,
    /// Whether IAM reports its last use. An action without this fact is not reported.
    pub tracked: bool,
    /// The names of the resource types that it works on.
    pub resource_types: Vec<String>,
}

/// A resource type.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReferenceResource {
    /// The name.
    pub name: String,
    /// The forms of its ARN.
    pub arn_formats: Vec<String>,
}

/// An API operation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReferenceOperation {
    /// The name.
    pub name: String,
    /// The actions that AWS authorizes within it, written `service:name`; none for a service that AWS has not mapped.
    pub authorized_actions: Vec<String>,
}

/// Reads files of the service reference, given as name and content; the index among them is skipped.
///
/// The services are returned by prefix in lower case.
///
/// # Errors
/// When a file is not one of the service reference, or two are of the same service; the error names the file and the place.
pub fn parse(files: &[(String, Vec<u8>)]) -> Result<BTreeMap<String, ServiceReference>, ServiceReferenceError> {
    let mut services = BTreeMap::new();
    for (file, bytes) in files {
        if is_index(file, bytes) {
            continue;
        }
        let service = parse_service(file, bytes)?;
        let key = service.name.to_ascii_lowercase();
        if services.contains_key(&key) {
            return Err(refuse(
                file,
                "member `Name`",
                format!("another file is of the service `{}` too", service.name),
            ));
        }
        services.insert(key, service);
    }
    Ok(services)
}

/// Reads the file of one service.
///
/// # Errors
/// When it is not one; the error names the place.
pub fn parse_service(file: &str, bytes: &[u8]) -> Result<ServiceReference, ServiceReferenceError> {
    let raw: RawService = serde_json::from_slice(bytes).map_err(|error| not_json(file, &error))?;
    if !is_name(&raw.name) {
        return Err(refuse(file, "member `Name`", format!("`{}` is not the name of a service", raw.name)));
    }
    let mut seen = BTreeSet::new();
    let mut actions = Vec::with_capacity(raw.actions.len());
    for (index, action) in raw.actions.into_iter().enumerate() {
        let refuse = |detail: String| refuse(file, format!("action {}", index + 1), detail);
        if !is_name(&action.name) {
            return Err(refuse(format!("`{}` is not the name of an action", action.name)));
        }
        if !seen.insert(action.name.to_ascii_lowercase()) {
            return Err(refuse(format!("`{}` stands in the file twice", action.name)));
        }
        if let Some(odd) = action.resources.iter().find(|resource| !is_cell(&resource.name)) {
            return Err(refuse(format!("`{}` is not the name of a resource type", odd.name)));
        }
        actions.push(ReferenceAction::from(action));
    }
    Ok(ServiceReference {
        operations: raw.operations.map(|operations| operations_of(operations, &raw.name)),
        resources: resources_of(file, raw.resources)?,
        actions,
        name: raw.name,
    })
}

/// Tells the index, a list of services and their addresses, from the file of a service.
fn is_index(file: &str, bytes: &[u8]) -> bool {
    #[derive(Deserialize)]
    #[expect(dead_code, reason = "only the shape counts")]
    struct Entry {
        service: String,
        url: String,
    }
    let name = file.rsplit(['/', '\\']).next().unwrap_or(file);
    name == "index.json" || serde_json::from_slice::<Vec<Entry>>(bytes).is_ok()
}

fn resources_of(file: &str, raw: Vec<RawResource>) -> Result<Vec<ReferenceResource>, ServiceReferenceError> {
    let mut resources = Vec::with_capacity(raw.len());
    for (index, resource) in raw.into_iter().enumerate() {
        let refuse = |detail: String| refuse(file, format!("resource {}", index + 1), detail);
        if !is_cell(&resource.name) {
            return Err(refuse(format!("`{}` is not the name of a resource type", resource.name)));
        }
        if let Some(odd) = resource.arn_formats.iter().find(|format| !is_cell(format)) {
            return Err(refuse(format!("`{odd}` is not the form of an ARN")));
        }
        resources.push(ReferenceResource { name: resource.name, arn_formats: resource.arn_formats });
    }
    Ok(resources)
}

fn operations_of(raw: Vec<RawOperation>, own: &str) -> Vec<ReferenceOperation> {
    let full_name = |action: RawAuthorized| format!("{}:{}", action.service.as_deref().unwrap_or(own), action.name);
    let read = |operation: RawOperation| ReferenceOperation {
        name: operation.name,
        authorized_actions: operation.authorized_actions.into_iter().map(full_name).collect(),
    };
    raw.into_iter().map(read).collect()
}

fn refuse(file: &str, place: impl Into<String>, detail: String) -> ServiceReferenceError {
    ServiceReferenceError { file: file.to_owned(), place: place.into(), detail }
}

fn not_json(file: &str, error: &serde_json::Error) -> ServiceReferenceError {
    let (line, column) = (error.line(), error.column());
    let text = error.to_string();
    let detail = text.strip_suffix(&format!(" at line {line} column {column}")).unwrap_or(&text);
    refuse(file, format!("line {line}, column {column}"), detail.to_owned())
}

/// Returns whether the text can be the prefix of a service or the name of an action.
fn is_name(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.'))
}

/// Returns whether the text can stand in a list of a table.
fn is_cell(text: &str) -> bool {
    !text.is_empty() && !text.contains(|c: char| c == ',' || c.is_control())
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct RawService {
    name: String,
    actions: Vec<RawAction>,
    #[serde(default)]
    resources: Vec<RawResource>,
    operations: Option<Vec<RawOperation>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct RawAction {
    name: String,
    annotations: Option<RawAnnotations>,
    #[serde(default)]
    resources: Vec<RawNamed>,
    supported_by: Option<RawSupportedBy>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct RawAnnotations {
    properties: Option<RawProperties>,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct RawProperties {
    is_list: bool,
    is_permission_management: bool,
    is_tagging_only: bool,
    is_write: bool,
}

#[derive(Deserialize)]
struct RawSupportedBy {
    #[serde(rename = "IAM Action Last Accessed", default)]
    action_last_accessed: bool,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct RawNamed {
    name: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct RawResource {
    name: String,
    #[serde(rename = "ARNFormats", default)]
    arn_formats: Vec<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct RawOperation {
    name: String,
    #[serde(default)]
    authorized_actions: Vec<RawAuthorized>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct RawAuthorized {
    name: String,
    service: Option<String>,
}

impl From<RawAction> for ReferenceAction {
    fn from(raw: RawAction) -> ReferenceAction {
        let properties = raw.annotations.and_then(|annotations| annotations.properties);
        ReferenceAction {
            access_level: properties.map(|properties| access_level(&properties)),
            tracked: raw.supported_by.is_some_and(|supported| supported.action_last_accessed),
            resource_types: raw.resources.into_iter().map(|resource| resource.name).collect(),
            name: raw.name,
        }
    }
}

/// The strongest property gives the level; an action with none of them reads.
fn access_level(properties: &RawProperties) -> AccessLevel {
    match properties {
        RawProperties { is_permission_management: true, .. } => AccessLevel::Permissions,
        RawProperties { is_tagging_only: true, .. } => AccessLevel::Tagging,
        RawProperties { is_write: true, .. } => AccessLevel::Write,
        RawProperties { is_list: true, .. } => AccessLevel::List,
        _ => AccessLevel::Read,
    }
}

#[cfg(test)]
mod tests;

//! From text to [`PolicyDocument`].
//!
//! What is JSON is what `serde_json` takes, which is strict and says where a text is wrong; [`Tree`] knows where each value
//! stands, and which texts need not be asked about.

use std::collections::HashSet;
use std::ops::Range;
use std::sync::Arc;

use super::checked::Checked;
use super::tree::{Kind, Member, Tree, Value};
use super::{
    ActionBlock, ActionEntry, ActionList, DocumentError, Effect, Irregularity, PolicyDocument, Position, ResourceEntry,
    Statement,
};
use crate::action::ActionPattern;

pub(super) fn document(text: Arc<str>) -> Result<PolicyDocument, DocumentError> {
    let tree = Tree::of(&text);
    if !tree.as_ref().is_some_and(|tree| tree.is_plain) {
        check_strictly(&text)?;
    }
    let Some(Tree { root, .. }) = tree else {
        // Two readers of JSON that differ: nothing can be said about such a text.
        let detail = "JSON of which the parts were not found".to_owned();
        return Err(DocumentError::NotJson { position: Position::of(&text, 0), detail });
    };
    let reader = Reader { text: &text };
    let mut read = reader.root(&root)?;
    reader.irregular_keys(&root, &mut read.irregularities);
    read.irregularities.sort_by_key(|irregularity| match irregularity {
        Irregularity::DuplicateKey { position, .. } | Irregularity::UnknownKey { position, .. } => *position,
    });
    read.irregularities.dedup();
    drop(root);
    Ok(PolicyDocument { text, ..read })
}

fn check_strictly(text: &str) -> Result<(), DocumentError> {
    serde_json::from_str::<Checked>(text).map(drop).map_err(|error| {
        let position = Position { line: error.line(), column: error.column() };
        let detail = error.to_string();
        let detail = detail.rsplit_once(" at line ").map_or(detail.as_str(), |(head, _)| head).to_owned();
        DocumentError::NotJson { position, detail }
    })
}

struct Reader<'a> {
    text: &'a str,
}

impl Reader<'_> {
    fn refuse(&self, at: &Value<'_>, detail: impl Into<String>) -> DocumentError {
        DocumentError::NotAPolicy { position: Position::of(self.text, at.span.start), detail: detail.into() }
    }

    fn root(&self, root: &Value<'_>) -> Result<PolicyDocument, DocumentError> {
        let Kind::Object(object) = &root.kind else {
            return Err(self.refuse(root, "a policy document must be an object"));
        };
        let version =
            members(object, "Version").last().map(|member| self.string(&member.value, "Version")).transpose()?;
        let (mut statements, mut statements_are_a_list, mut statements_span) = (Vec::new(), false, None);
        for Member { value, .. } in members(object, "Statement") {
            statements_span = Some(value.span.clone());
            match &value.kind {
                Kind::Object(single) => statements.push(self.statement(value, single)?),
                Kind::List(list) => {
                    statements_are_a_list = true;
                    for element in list {
                        let Kind::Object(object) = &element.kind else {
                            return Err(self.refuse(element, "a statement must be an object"));
                        };
                        statements.push(self.statement(element, object)?);
                    }
                }
                _ => return Err(self.refuse(value, "`Statement` must be an object or a list of objects")),
            }
        }
        let Some(statements_span) = statements_span else {
            return Err(self.refuse(root, "a policy document must have a `Statement`"));
        };
        Ok(PolicyDocument {
            text: Arc::from(""),
            version,
            statements,
            irregularities: Vec::new(),
            statements_are_a_list,
            statements_span,
        })
    }

    fn statement(&self, at: &Value<'_>, object: &[Member<'_>]) -> Result<Statement, DocumentError> {
        let sid = members(object, "Sid").last().map(|member| self.string(&member.value, "Sid")).transpose()?;
        let effect = match members(object, "Effect").last() {
            None => return Err(self.refuse(at, "a statement must have an `Effect`")),
            Some(member) => match self.string(&member.value, "Effect")?.as_str() {
                "Allow" => Effect::Allow,
                "Deny" => Effect::Deny,
                _ => return Err(self.refuse(&member.value, "`Effect` must be `Allow` or `Deny`")),
            },
        };
        let mut resources = Vec::new();
        for member in members(object, "Resource") {
            self.each_string(&member.value, "Resource", |text, span| {
                resources.push(ResourceEntry { text: text.to_owned(), span });
            })?;
        }
        let (service_principals, open_principal) = principals(object);
        Ok(Statement {
            sid,
            effect,
            actions: self.actions(at, object)?,
            has_condition: members(object, "Condition").next().is_some(),
            resources,
            has_not_resource: members(object, "NotResource").next().is_some(),
            service_principals,
            open_principal,
            span: at.span.clone(),
        })
    }

    fn actions(&self, at: &Value<'_>, object: &[Member<'_>]) -> Result<ActionBlock, DocumentError> {
        let has = |name| members(object, name).next().is_some();
        match (has("Action"), has("NotAction")) {
            (true, false) => Ok(ActionBlock::Action(self.action_list(object, "Action")?)),
            (false, true) => Ok(ActionBlock::NotAction(self.action_list(object, "NotAction")?)),
            (false, false) => Err(self.refuse(at, "a statement must have an `Action` or a `NotAction`")),
            (true, true) => Err(self.refuse(at, "a statement must not have both `Action` and `NotAction`")),
        }
    }

    /// Several elements of one name are merged, as IAM does; such a document is irregular anyway.
    fn action_list(&self, object: &[Member<'_>], name: &str) -> Result<ActionList, DocumentError> {
        let mut merged = ActionList { entries: Vec::new(), span: 0..0, is_list: false };
        for Member { value, .. } in members(object, name) {
            merged.span = value.span.clone();
            merged.is_list = matches!(value.kind, Kind::List(_));
            self.each_string(value, name, |text, span| {
                merged.entries.push(ActionEntry { pattern: ActionPattern::new(text), span });
            })?;
        }
        Ok(merged)
    }

    fn string(&self, value: &Value<'_>, name: &str) -> Result<String, DocumentError> {
        match &value.kind {
            Kind::String(string) => Ok(string.to_string()),
            _ => Err(self.refuse(value, format!("`{name}` must be a string"))),
        }
    }

    /// Calls `found` with the string or with each string of the list, and its place.
    fn each_string(
        &self,
        value: &Value<'_>,
        name: &str,
        mut found: impl FnMut(&str, Range<usize>),
    ) -> Result<(), DocumentError> {
        for value in value.one_or_many() {
            let Kind::String(string) = &value.kind else {
                return Err(self.refuse(value, format!("`{name}` must be a string or a list of strings")));
            };
            found(string, value.span.clone());
        }
        Ok(())
    }

    fn irregular_keys(&self, root: &Value<'_>, found: &mut Vec<Irregularity>) {
        self.duplicate_keys(root, found);
        let Kind::Object(object) = &root.kind else { return };
        self.unknown_keys(object, &["Version", "Id", "Statement"], found);
        for member in members(object, "Statement") {
            for statement in member.value.one_or_many() {
                if let Kind::Object(statement) = &statement.kind {
                    self.unknown_keys(statement, &STATEMENT_KEYS, found);
                }
            }
        }
    }

    fn unknown_keys(&self, object: &[Member<'_>], known: &[&str], found: &mut Vec<Irregularity>) {
        let unknown = object.iter().filter(|member| !known.contains(&&*member.name));
        found.extend(unknown.map(|member| Irregularity::UnknownKey {
            key: member.name.to_string(),
            position: Position::of(self.text, member.start),
        }));
    }

    /// Looks at every object; [`Tree`] has bounded the depth of this recursion.
    fn duplicate_keys(&self, value: &Value<'_>, found: &mut Vec<Irregularity>) {
        match &value.kind {
            Kind::Object(object) => {
                found.extend(repeated(object).into_iter().map(|member| Irregularity::DuplicateKey {
                    key: member.name.to_string(),
                    position: Position::of(self.text, member.start),
                }));
                object.iter().for_each(|member| self.duplicate_keys(&member.value, found));
            }
            Kind::List(list) => list.iter().for_each(|element| self.duplicate_keys(element, found)),
            Kind::String(_) | Kind::Other => {}
        }
    }
}

/// The members of that name.
fn members<'t, 'a>(object: &'t [Member<'a>], name: &str) -> impl DoubleEndedIterator<Item = &'t Member<'a>> {
    object.iter().filter(move |member| member.name == name)
}

/// The members whose name an earlier one has.
fn repeated<'t, 'a>(object: &'t [Member<'a>]) -> Vec<&'t Member<'a>> {
    /// So many are compared one by one.
    const FEW: usize = 16;
    if object.len() <= FEW {
        let is_earlier = |at: usize, name: &str| object.iter().take(at).any(|member| member.name == name);
        return object
            .iter()
            .enumerate()
            .filter(|(at, member)| is_earlier(*at, &member.name))
            .map(|(_, m)| m)
            .collect();
    }
    let mut seen = HashSet::new();
    object.iter().filter(|member| !seen.insert(&*member.name)).collect()
}

const STATEMENT_KEYS: [&str; 9] =
    ["Sid", "Effect", "Action", "NotAction", "Resource", "NotResource", "Condition", "Principal", "NotPrincipal"];

/// The service principals of a statement, and whether others than named ones may be meant.
fn principals(statement: &[Member<'_>]) -> (Vec<String>, bool) {
    let mut services = Vec::new();
    let mut open = members(statement, "NotPrincipal").next().is_some();
    for member in members(statement, "Principal") {
        let Kind::Object(kinds) = &member.value.kind else {
            open = true;
            continue;
        };
        for kind in kinds {
            for value in kind.value.one_or_many() {
                match (&*kind.name, &value.kind) {
                    ("Service", Kind::String(service)) if !service.contains('*') => services.push(service.to_string()),
                    ("AWS" | "Federated" | "CanonicalUser", Kind::String(other)) => open |= other == "*",
                    _ => open = true,
                }
            }
        }
    }
    (services, open)
}

#[cfg(test)]
mod tests;

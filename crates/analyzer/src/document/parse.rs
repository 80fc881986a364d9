//! From text to [`PolicyDocument`].
//!
//! Two parsers read every text: `serde_json`, which is strict and says where the text is wrong, and `jsonc-parser`, which
//! knows where each value stands. Its leniencies are all turned off, and what `serde_json` refuses never reaches it.

use std::ops::Range;
use std::sync::Arc;

use jsonc_parser::ast::{Array, Object, ObjectProp, Value};
use jsonc_parser::common::Ranged;
use jsonc_parser::{CollectOptions, ParseOptions, parse_to_ast};

use super::checked::Checked;
use super::{
    ActionBlock, ActionEntry, ActionList, DocumentError, Effect, Irregularity, PolicyDocument, Position, ResourceEntry,
    Statement,
};
use crate::action::ActionPattern;

const STRICT: ParseOptions = ParseOptions {
    allow_comments: false,
    allow_loose_object_property_names: false,
    allow_trailing_commas: false,
    allow_missing_commas: false,
    allow_single_quoted_strings: false,
    allow_hexadecimal_numbers: false,
    allow_unary_plus_numbers: false,
    allow_bare_decimal_point_numbers: false,
    allow_non_finite_numbers: false,
    allow_extended_string_escapes: false,
};

pub(super) fn document(text: Arc<str>) -> Result<PolicyDocument, DocumentError> {
    check_strictly(&text)?;
    let parsed = parse_to_ast(&text, &CollectOptions::default(), &STRICT).map_err(|error| DocumentError::NotJson {
        position: Position { line: error.line_display(), column: error.column_display() },
        detail: error.kind().to_string(),
    })?;
    let root = parsed.value.unwrap_or(Value::NullKeyword(jsonc_parser::ast::NullKeyword {
        range: jsonc_parser::common::Range { start: 0, end: 0 },
    }));
    let reader = Reader { text: &text };
    let mut read = reader.root(&root)?;
    reader.irregular_keys(&root, &mut read.irregularities);
    read.irregularities.sort_by_key(|irregularity| match irregularity {
        Irregularity::DuplicateKey { position, .. } | Irregularity::UnknownKey { position, .. } => *position,
    });
    read.irregularities.dedup();
    Ok(PolicyDocument { text: Arc::clone(&text), ..read })
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
    fn refuse(&self, at: &impl Ranged, detail: impl Into<String>) -> DocumentError {
        DocumentError::NotAPolicy { position: Position::of(self.text, at.start()), detail: detail.into() }
    }

    fn root(&self, root: &Value<'_>) -> Result<PolicyDocument, DocumentError> {
        let Value::Object(object) = root else {
            return Err(self.refuse(root, "a policy document must be an object"));
        };
        let version =
            self.members(object, "Version").last().map(|prop| self.string(&prop.value, "Version")).transpose()?;
        let statement_props: Vec<&ObjectProp<'_>> = self.members(object, "Statement").collect();
        if statement_props.is_empty() {
            return Err(self.refuse(root, "a policy document must have a `Statement`"));
        }
        let mut statements = Vec::new();
        let mut statements_are_a_list = false;
        let statements_span = statement_props.last().map_or(0..0, |prop| span(&prop.value));
        for prop in statement_props {
            match &prop.value {
                Value::Object(single) => statements.push(self.statement(single)?),
                Value::Array(list) => {
                    statements_are_a_list = true;
                    for element in &list.elements {
                        let Value::Object(object) = element else {
                            return Err(self.refuse(element, "a statement must be an object"));
                        };
                        statements.push(self.statement(object)?);
                    }
                }
                other => return Err(self.refuse(other, "`Statement` must be an object or a list of objects")),
            }
        }
        Ok(PolicyDocument {
            text: Arc::from(""),
            version,
            statements,
            irregularities: Vec::new(),
            statements_are_a_list,
            statements_span,
        })
    }

    fn statement(&self, object: &Object<'_>) -> Result<Statement, DocumentError> {
        let sid = self.members(object, "Sid").last().map(|prop| self.string(&prop.value, "Sid")).transpose()?;
        let effect = match self.members(object, "Effect").last() {
            None => return Err(self.refuse(object, "a statement must have an `Effect`")),
            Some(prop) => match self.string(&prop.value, "Effect")?.as_str() {
                "Allow" => Effect::Allow,
                "Deny" => Effect::Deny,
                _ => return Err(self.refuse(&prop.value, "`Effect` must be `Allow` or `Deny`")),
            },
        };
        let mut resources = Vec::new();
        for prop in self.members(object, "Resource") {
            let strings = self.strings(&prop.value, "Resource")?.0;
            resources.extend(strings.into_iter().map(|(text, span)| ResourceEntry { text, span }));
        }
        let (service_principals, open_principal) = principals(object);
        Ok(Statement {
            sid,
            effect,
            actions: self.actions(object)?,
            has_condition: self.members(object, "Condition").next().is_some(),
            resources,
            has_not_resource: self.members(object, "NotResource").next().is_some(),
            service_principals,
            open_principal,
            span: span(object),
        })
    }

    fn actions(&self, object: &Object<'_>) -> Result<ActionBlock, DocumentError> {
        let action: Vec<_> = self.members(object, "Action").collect();
        let not_action: Vec<_> = self.members(object, "NotAction").collect();
        match (action.is_empty(), not_action.is_empty()) {
            (false, true) => Ok(ActionBlock::Action(self.action_list(&action, "Action")?)),
            (true, false) => Ok(ActionBlock::NotAction(self.action_list(&not_action, "NotAction")?)),
            (true, true) => Err(self.refuse(object, "a statement must have an `Action` or a `NotAction`")),
            (false, false) => Err(self.refuse(object, "a statement must not have both `Action` and `NotAction`")),
        }
    }

    /// Several elements of one name are merged, as IAM does; such a document is irregular anyway.
    fn action_list(&self, props: &[&ObjectProp<'_>], name: &str) -> Result<ActionList, DocumentError> {
        let mut merged = ActionList { entries: Vec::new(), span: 0..0, is_list: false };
        for prop in props {
            let (strings, is_list) = self.strings(&prop.value, name)?;
            merged.span = span(&prop.value);
            merged.is_list = is_list;
            merged.entries.extend(
                strings.into_iter().map(|(text, span)| ActionEntry { pattern: ActionPattern::new(&text), span }),
            );
        }
        Ok(merged)
    }

    fn members<'b, 'c>(&self, object: &'b Object<'c>, name: &'b str) -> impl Iterator<Item = &'b ObjectProp<'c>> {
        object.properties.iter().filter(move |prop| prop.name.as_str() == name)
    }

    fn string(&self, value: &Value<'_>, name: &str) -> Result<String, DocumentError> {
        match value {
            Value::StringLit(literal) => Ok(literal.value.to_string()),
            other => Err(self.refuse(other, format!("`{name}` must be a string"))),
        }
    }

    /// The strings of a string or a list of strings, each with its place, and whether it was a list.
    #[expect(clippy::type_complexity, reason = "two results that are only taken apart by the two callers")]
    fn strings(&self, value: &Value<'_>, name: &str) -> Result<(Vec<(String, Range<usize>)>, bool), DocumentError> {
        let one = |value: &Value<'_>| match value {
            Value::StringLit(literal) => Ok((literal.value.to_string(), span(literal))),
            other => Err(self.refuse(other, format!("`{name}` must be a string or a list of strings"))),
        };
        match value {
            Value::Array(Array { elements, .. }) => {
                Ok((elements.iter().map(one).collect::<Result<Vec<_>, _>>()?, true))
            }
            other => Ok((vec![one(other)?], false)),
        }
    }

    fn irregular_keys(&self, root: &Value<'_>, found: &mut Vec<Irregularity>) {
        self.duplicate_keys(root, found);
        let Value::Object(object) = root else { return };
        self.unknown_keys(object, &["Version", "Id", "Statement"], found);
        for prop in self.members(object, "Statement") {
            let statements: &[Value<'_>] = match &prop.value {
                Value::Array(list) => &list.elements,
                single => std::slice::from_ref(single),
            };
            for statement in statements {
                if let Value::Object(statement) = statement {
                    self.unknown_keys(statement, &STATEMENT_KEYS, found);
                }
            }
        }
    }

    fn unknown_keys(&self, object: &Object<'_>, known: &[&str], found: &mut Vec<Irregularity>) {
        found.extend(object.properties.iter().filter(|prop| !known.contains(&prop.name.as_str())).map(|prop| {
            Irregularity::UnknownKey {
                key: prop.name.as_str().to_owned(),
                position: Position::of(self.text, prop.start()),
            }
        }));
    }

    /// Looks at every object; `check_strictly` has bounded the depth of this recursion.
    fn duplicate_keys(&self, value: &Value<'_>, found: &mut Vec<Irregularity>) {
        match value {
            Value::Object(object) => {
                let mut seen = std::collections::HashSet::new();
                for prop in &object.properties {
                    if !seen.insert(prop.name.as_str()) {
                        found.push(Irregularity::DuplicateKey {
                            key: prop.name.as_str().to_owned(),
                            position: Position::of(self.text, prop.start()),
                        });
                    }
                    self.duplicate_keys(&prop.value, found);
                }
            }
            Value::Array(list) => list.elements.iter().for_each(|element| self.duplicate_keys(element, found)),
            _ => {}
        }
    }
}

const STATEMENT_KEYS: [&str; 9] =
    ["Sid", "Effect", "Action", "NotAction", "Resource", "NotResource", "Condition", "Principal", "NotPrincipal"];

/// The service principals of a statement, and whether others than named ones may be meant.
fn principals(statement: &Object<'_>) -> (Vec<String>, bool) {
    let mut services = Vec::new();
    let mut open = false;
    for prop in &statement.properties {
        match (prop.name.as_str(), &prop.value) {
            ("NotPrincipal", _) => open = true,
            ("Principal", Value::Object(kinds)) => {
                for kind in &kinds.properties {
                    let values: &[Value<'_>] = match &kind.value {
                        Value::Array(list) => &list.elements,
                        single => std::slice::from_ref(single),
                    };
                    for value in values {
                        match (kind.name.as_str(), value) {
                            ("Service", Value::StringLit(service)) if !service.value.contains('*') => {
                                services.push(service.value.to_string());
                            }
                            ("Service", _) => open = true,
                            ("AWS" | "Federated" | "CanonicalUser", Value::StringLit(other)) => {
                                open |= other.value == "*";
                            }
                            _ => open = true,
                        }
                    }
                }
            }
            ("Principal", _) => open = true,
            _ => {}
        }
    }
    (services, open)
}

fn span(value: &impl Ranged) -> Range<usize> {
    value.start()..value.end()
}

#[cfg(test)]
mod tests;

//! The condition block.
//!
//! Sources: operators <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_condition_operators.html>,
//! several keys and values
//! <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-logic-multiple-context-keys-or-values.html>,
//! set operators <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-single-vs-multi-valued-context-keys.html>.

use super::Truth;
use super::context::Context;
use super::json::Json;
use super::operator::Operator;

/// One operator on one key: all of a statement's must hold.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Condition {
    /// What is done with each of the request's values.
    set: Option<Quantifier>,
    /// Whether a missing key satisfies it.
    if_exists: bool,
    /// The comparison; none for an operator that the judge does not know.
    operator: Option<Operator>,
    /// The operator as written.
    written: String,
    /// The key.
    pub key: String,
    /// The values; one of them must match, or none where the operator is negated.
    pub values: Vec<String>,
}

/// `ForAllValues:` or `ForAnyValue:`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Quantifier {
    All,
    Any,
}

impl Condition {
    /// Reads a block: operators, in each of them keys, for each of them values.
    pub(super) fn parse_block(json: &Json) -> Result<Vec<Condition>, String> {
        let mut conditions = Vec::new();
        let operators = json.members().ok_or("Condition is not an object")?;
        for (at, (operator, keys)) in operators.iter().enumerate() {
            if operators.iter().skip(at + 1).any(|(other, _)| other == operator) {
                return Err(format!("duplicate key `{operator}`"));
            }
            let keys = keys.members().ok_or_else(|| format!("{operator} is not an object"))?;
            for (at, (key, values)) in keys.iter().enumerate() {
                if keys.iter().skip(at + 1).any(|(other, _)| other.eq_ignore_ascii_case(key)) {
                    return Err(format!("duplicate key `{key}`"));
                }
                let values = values.items().iter().map(value).collect::<Result<_, _>>()?;
                conditions.push(Condition::new(operator, key, values));
            }
        }
        Ok(conditions)
    }

    fn new(written: &str, key: &str, values: Vec<String>) -> Condition {
        let (set, rest) = match written.split_once(':') {
            Some((word, rest)) if word.eq_ignore_ascii_case("ForAllValues") => (Some(Quantifier::All), rest),
            Some((word, rest)) if word.eq_ignore_ascii_case("ForAnyValue") => (Some(Quantifier::Any), rest),
            _ => (None, written),
        };
        let lower = rest.to_ascii_lowercase();
        let (name, if_exists) = match lower.strip_suffix("ifexists") {
            Some(name) => (name, true),
            None => (lower.as_str(), false),
        };
        let operator = Operator::of(name).filter(|operator| !(if_exists && *operator == Operator::Null));
        Condition { set, if_exists, operator, written: written.to_owned(), key: key.to_owned(), values }
    }

    /// Returns a text that is equal for conditions that are equal but for the order of their values.
    pub(super) fn normal_form(&self) -> String {
        let mut values = self.values.clone();
        values.sort();
        values.dedup();
        format!("{}({}){values:?}", self.written.to_ascii_lowercase(), self.key.to_ascii_lowercase())
    }

    /// Returns whether the request satisfies the condition.
    pub fn holds(&self, context: &Context, has_variables: bool) -> Truth {
        let Some(operator) = self.operator else { return Truth::Unknown };
        let present = context.get(&self.key);
        if operator == Operator::Null {
            return self.is_null(present);
        }
        let Some(present) = present else { return self.without_key(operator) };
        let each = |value: &String| -> Truth {
            let one = Truth::any(self.values.iter().map(|own| operator.compare(own, value, context, has_variables)));
            if operator.is_negated() { one.not() } else { one }
        };
        match self.set {
            Some(Quantifier::All) => Truth::all(present.iter().map(each)),
            Some(Quantifier::Any) => Truth::any(present.iter().map(each)),
            None => match present {
                [one] => each(one),
                // AWS warns against such policies and does not say what they do.
                _ => Truth::Unknown,
            },
        }
    }

    /// `"Null": {key: "true"}`: the key is absent. See
    /// <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_condition_operators.html#Conditions_Null>.
    fn is_null(&self, present: Option<&[String]>) -> Truth {
        let is_absent = present.is_none();
        Truth::any(self.values.iter().map(|wanted| match wanted.to_ascii_lowercase().as_str() {
            "true" => Truth::from(is_absent),
            "false" => Truth::from(!is_absent),
            _ => Truth::Unknown,
        }))
    }

    /// A key that the request lacks satisfies `...IfExists`, negated operators and `ForAllValues`, and nothing else.
    fn without_key(&self, operator: Operator) -> Truth {
        match self.set {
            _ if self.if_exists => Truth::Yes,
            Some(Quantifier::All) => Truth::Yes,
            Some(Quantifier::Any) => Truth::No,
            None => Truth::from(operator.is_negated()),
        }
    }
}

/// A value; numbers and booleans may be unquoted.
fn value(json: &Json) -> Result<String, String> {
    match json {
        Json::Text(text) | Json::Number(text) => Ok(text.clone()),
        Json::Bool(is) => Ok(is.to_string()),
        _ => Err("a value of a condition is neither string, number nor boolean".to_owned()),
    }
}

#[cfg(test)]
mod tests;

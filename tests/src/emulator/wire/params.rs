//! The parameters of a call: a flat form in the Query protocol, an object in the JSON ones.

use std::collections::BTreeMap;

use serde_json::Value;

use super::error::Error;

/// Parameters by name. Members of lists are `List.member.1`, as in the Query protocol.
#[derive(Clone, Debug, Default)]
pub struct Params {
    form: BTreeMap<String, String>,
    json: Value,
}

impl Params {
    /// Reads a form.
    pub fn of_form(body: &[u8]) -> Self {
        Self { form: form_urlencoded::parse(body).into_owned().collect(), json: Value::Null }
    }

    /// Takes an object of a JSON protocol: its members, numbers and texts alike, are parameters.
    pub fn of_json(json: Value) -> Self {
        let mut form = BTreeMap::new();
        for (name, value) in json.as_object().into_iter().flatten() {
            match value {
                Value::String(text) => form.insert(name.clone(), text.clone()),
                Value::Number(number) => form.insert(name.clone(), number.to_string()),
                Value::Bool(truth) => form.insert(name.clone(), truth.to_string()),
                _ => None,
            };
        }
        Self { form, json }
    }

    /// The object, in the JSON protocols.
    pub const fn json(&self) -> &Value {
        &self.json
    }

    /// A parameter, if the call has it.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.form.get(name).map(String::as_str)
    }

    /// A parameter that the call must have.
    pub fn required(&self, name: &str) -> Result<&str, Error> {
        match self.get(name) {
            Some(value) if !value.is_empty() => Ok(value),
            Some(_) => Err(constraint(name, "", "Member must have length greater than or equal to 1")),
            None => Err(Error::validation(format!(
                "1 validation error detected: Value null at '{}' failed to satisfy constraint: Member must not be null",
                member(name)
            ))),
        }
    }

    /// The members of a list, in order.
    pub fn list(&self, name: &str) -> Vec<&str> {
        let members = (1..).map_while(|at| self.get(&format!("{name}.member.{at}")));
        members.collect()
    }

    /// The members of a list of objects with two texts each, such as tags.
    pub fn pairs(&self, list: &str, key: &str, value: &str) -> Vec<(&str, &str)> {
        let pair = |at: usize| {
            let key = self.get(&format!("{list}.member.{at}.{key}"))?;
            Some((key, self.get(&format!("{list}.member.{at}.{value}")).unwrap_or_default()))
        };
        (1..).map_while(pair).collect()
    }

    /// A number within limits.
    pub fn number(&self, name: &str, low: usize, high: usize) -> Result<Option<usize>, Error> {
        let Some(text) = self.get(name) else { return Ok(None) };
        let number = text.parse::<i64>().map_err(|_| Error::validation(format!("{name} is not a number")))?;
        match usize::try_from(number) {
            Ok(number) if (low..=high).contains(&number) => Ok(Some(number)),
            Ok(number) if number > high => {
                Err(constraint(name, text, &format!("Member must have value less than or equal to {high}")))
            }
            _ => Err(constraint(name, text, &format!("Member must have value greater than or equal to {low}"))),
        }
    }

    /// Whether a parameter says `true`.
    pub fn is_true(&self, name: &str) -> bool {
        self.get(name).is_some_and(|value| value.eq_ignore_ascii_case("true"))
    }

    /// All parameters, by name.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.form.iter().map(|(name, value)| (name.as_str(), value.as_str()))
    }
}

/// A value that breaks a constraint of the API's model.
pub fn constraint(name: &str, value: &str, words: &str) -> Error {
    Error::validation(format!(
        "1 validation error detected: Value '{value}' at '{}' failed to satisfy constraint: {words}",
        member(name)
    ))
}

/// The name of a parameter as AWS's messages have it: with a small first letter.
fn member(name: &str) -> String {
    let mut letters = name.chars();
    letters.next().map(|first| first.to_ascii_lowercase()).into_iter().chain(letters).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_form_is_read_with_its_lists() {
        let params = Params::of_form(
            b"Action=TagUser&UserName=a%2Bb+c&Tags.member.1.Key=k&Tags.member.1.Value=v&Filter.member.1=User&Filter.member.2=Role",
        );
        assert_eq!(params.get("UserName"), Some("a+b c"));
        assert_eq!(params.pairs("Tags", "Key", "Value"), [("k", "v")]);
        assert_eq!(params.list("Filter"), ["User", "Role"]);
        assert!(params.required("PolicyName").unwrap_err().message().contains("Value null at 'policyName'"));
    }
}

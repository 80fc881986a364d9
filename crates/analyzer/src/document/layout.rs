//! A layout for documents that have none, or have lost theirs.

/// The longest document text that IAM takes, in characters
/// (<https://docs.aws.amazon.com/IAM/latest/APIReference/API_CreatePolicy.html>); longer ones are no policies.
const MAX_LEN: usize = 131_072;

/// The deepest nesting that policy documents are parsed with; white space for more would grow with the square of it.
const MAX_DEPTH: usize = 127;

/// Returns the JSON text with one member a line, indented by four spaces, and every token as it was.
///
/// A text that is longer or nested deeper than any policy is returned unchanged.
pub fn indented(json: &str) -> String {
    if json.len() > MAX_LEN {
        return json.to_owned();
    }
    let mut out = String::with_capacity(json.len().saturating_mul(2));
    let mut depth: usize = 0;
    let mut just_opened = false;
    let mut chars = json.chars();
    while let Some(next) = chars.next() {
        match next {
            ' ' | '\n' | '\r' | '\t' => continue,
            ',' => {
                out.push(',');
                new_line(&mut out, depth);
                continue;
            }
            ':' => {
                out.push_str(": ");
                continue;
            }
            '}' | ']' => {
                depth = depth.saturating_sub(1);
                if !just_opened {
                    new_line(&mut out, depth);
                }
                out.push(next);
                just_opened = false;
                continue;
            }
            _ => {}
        }
        if just_opened {
            new_line(&mut out, depth);
        }
        out.push(next);
        just_opened = matches!(next, '{' | '[');
        depth = depth.saturating_add(usize::from(just_opened));
        if depth > MAX_DEPTH {
            return json.to_owned();
        }
        if next == '"' {
            push_rest_of_string(&mut out, &mut chars);
        }
    }
    out
}

fn new_line(out: &mut String, depth: usize) {
    out.push('\n');
    out.extend(std::iter::repeat_n("    ", depth));
}

fn push_rest_of_string(out: &mut String, chars: &mut std::str::Chars<'_>) {
    while let Some(next) = chars.next() {
        out.push(next);
        match next {
            '"' => return,
            '\\' => out.extend(chars.next()),
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn tokens_are_laid_out_and_kept() {
        let check = |json: &str, expect: &str| assert_eq!(indented(json), expect);
        check("{}", "{}");
        check(" { \n } ", "{}");
        check(r#"{"a":[ ]}"#, "{\n    \"a\": []\n}");
        check(
            r#"{"b":1.50e+1,"a":["x","\u00e9\\\"}"],"b":{"c":null}}"#,
            "{\n    \"b\": 1.50e+1,\n    \"a\": [\n        \"x\",\n        \"\\u00e9\\\\\\\"}\"\n    ],\n    \"b\": {\n        \
             \"c\": null\n    }\n}",
        );
        check("[[],[1],{}]", "[\n    [],\n    [\n        1\n    ],\n    {}\n]");
    }

    #[test]
    fn monsters_are_returned_as_they_are() {
        let deep = "[".repeat(200) + &"]".repeat(200);
        assert_eq!(indented(&deep), deep);
        let long = format!("[{}1]", "1,".repeat(MAX_LEN));
        assert_eq!(indented(&long), long);
    }

    fn json() -> impl Strategy<Value = serde_json::Value> {
        let leaf = prop_oneof![
            any::<i64>().prop_map(serde_json::Value::from),
            any::<bool>().prop_map(serde_json::Value::from),
            any::<String>().prop_map(serde_json::Value::from),
            Just(serde_json::Value::Null),
        ];
        leaf.prop_recursive(5, 64, 5, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..5).prop_map(serde_json::Value::from),
                prop::collection::btree_map(any::<String>(), inner, 0..5)
                    .prop_map(|map| serde_json::Value::Object(map.into_iter().collect())),
            ]
        })
    }

    proptest! {
        #[test]
        fn the_layout_is_that_of_a_json_printer(value in json()) {
            let mut expect = Vec::new();
            let formatter = serde_json::ser::PrettyFormatter::with_indent(b"    ");
            let mut serializer = serde_json::Serializer::with_formatter(&mut expect, formatter);
            serde::Serialize::serialize(&value, &mut serializer).unwrap();
            prop_assert_eq!(indented(&value.to_string()), String::from_utf8(expect).unwrap());
        }
    }
}

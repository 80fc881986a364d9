//! Documents to draw from: real ones where the corpora are at hand, generated ones besides.

use std::path::Path;

use super::scene::Document;
use crate::judge::actions::Catalogue;
use crate::random::Random;

/// Documents that people and AWS wrote.
#[derive(Debug, Default)]
pub struct Corpus {
    /// AWS's, with their names.
    managed: Vec<(String, String)>,
    /// Other people's.
    customer: Vec<String>,
}

impl Corpus {
    /// Reads the corpora beside the repository, if they are there.
    ///
    /// # Errors
    /// When a file is there and is no corpus.
    pub fn load() -> Result<Corpus, String> {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/corpora");
        let read = |file: &str| -> Result<Vec<(String, String)>, String> {
            let Ok(text) = std::fs::read_to_string(folder.join(file)) else { return Ok(Vec::new()) };
            let parsed = text.lines().map(|line| entry(line).ok_or_else(|| format!("{file}: no entry of a corpus")));
            parsed.collect()
        };
        let customer = read("customer-policies.jsonl")?.into_iter().map(|(_, text)| text).collect();
        Ok(Corpus { managed: read("managed-policies.jsonl")?, customer })
    }

    /// Returns the numbers of AWS's and of other people's documents.
    pub fn counts(&self) -> (usize, usize) {
        (self.managed.len(), self.customer.len())
    }

    /// Draws one of AWS's policies, with its name.
    pub fn draw_managed(&self, catalogue: &Catalogue, random: &mut Random) -> (String, Document) {
        match random.pick(&self.managed) {
            Some((name, text)) => (name.clone(), Document::new(text.clone())),
            None => (format!("Generated{}", random.word(8)), generate(catalogue, random)),
        }
    }

    /// Draws a document of at most so many bytes, such as people write.
    pub fn draw(&self, catalogue: &Catalogue, random: &mut Random, most: usize) -> Document {
        if random.percent(8) {
            return wide(random);
        }
        for _ in 0..20 {
            let text = match random.below(10) {
                0..5 => random.pick(&self.customer).cloned(),
                5..8 => random.pick(&self.managed).map(|(_, text)| text.clone()),
                _ => None,
            };
            let document = text.map_or_else(|| generate(catalogue, random), Document::new);
            // Snippets that are no identity policies IAM would not have taken.
            if document.policy.is_ok() && document.text.len() <= most {
                return if random.percent(50) { Document::new(laid_out(&document.text)) } else { document };
            }
        }
        generate(catalogue, random)
    }
}

/// The name and the exact text of the document in a line of a corpus; the document is its last member.
fn entry(line: &str) -> Option<(String, String)> {
    let (head, document) = line.split_once("\"document\":")?;
    let (_, name) = head.split_once("\"name\":\"")?;
    let name = name.split('"').next()?.to_owned();
    Some((name, document.trim().strip_suffix('}')?.trim().to_owned()))
}

/// The text with line breaks and indents, as people lay it out.
fn laid_out(text: &str) -> String {
    let (mut out, mut depth, mut in_string, mut escaped) = (String::new(), 0_usize, false, false);
    for c in text.chars() {
        if in_string {
            out.push(c);
            in_string = escaped || c != '"';
            escaped = c == '\\' && !escaped;
            continue;
        }
        match c {
            '{' | '[' => {
                depth += 1;
                out.push(c);
                out.push('\n');
                out.push_str(&"  ".repeat(depth));
            }
            '}' | ']' => {
                depth = depth.saturating_sub(1);
                out.push('\n');
                out.push_str(&"  ".repeat(depth));
                out.push(c);
            }
            ',' => {
                out.push_str(",\n");
                out.push_str(&"  ".repeat(depth));
            }
            ':' => out.push_str(": "),
            ' ' | '\n' | '\t' | '\r' => {}
            _ => {
                in_string = c == '"';
                out.push(c);
            }
        }
    }
    out
}

/// A document of one to four statements, from the catalogue's names.
fn generate(catalogue: &Catalogue, random: &mut Random) -> Document {
    let count = 1 + random.below(4);
    let mut statements: Vec<String> = (0..count).map(|at| statement(catalogue, random, at)).collect();
    if random.percent(2) {
        // Old policies may have such: see <https://docs.aws.amazon.com/IAM/latest/UserGuide/troubleshoot_policies.html>.
        statements.push(r#"{"Effect":"Allow","Action":"s3:*","Action":"sqs:*","Resource":"*"}"#.to_owned());
    }
    Document::new(format!(r#"{{"Version":"2012-10-17","Statement":[{}]}}"#, statements.join(",")))
}

/// A short document that allows much: what is left of it by names seldom fits.
fn wide(random: &mut Random) -> Document {
    let services =
        ["ec2", "s3", "iam", "rds", "glue", "sagemaker", "iot", "cloudwatch", "logs", "lambda", "ecs", "ssm"];
    let list = match random.below(6) {
        0 => r#""Action":"*""#.to_owned(),
        1 => r#""NotAction":["iam:*","organizations:*","account:*"]"#.to_owned(),
        _ => {
            let some =
                (0..1 + random.below(5)).filter_map(|_| random.pick(&services).map(|own| format!("\"{own}:*\"")));
            format!(r#""Action":[{}]"#, some.collect::<Vec<_>>().join(","))
        }
    };
    Document::new(format!(r#"{{"Version":"2012-10-17","Statement":[{{"Effect":"Allow",{list},"Resource":"*"}}]}}"#))
}

fn statement(catalogue: &Catalogue, random: &mut Random, at: usize) -> String {
    let sid = match random.below(12) {
        0 => format!(r#""Sid":"SecateurKeep{at}","#),
        1..4 => format!(r#""Sid":"S{at}","#),
        _ => String::new(),
    };
    let effect = if random.percent(10) { "Deny" } else { "Allow" };
    let is_not = random.percent(8);
    let actions: Vec<String> =
        (0..1 + random.below(6)).map(|_| format!("\"{}\"", pattern(catalogue, random))).collect();
    let resources =
        ["\"*\"", "\"arn:aws:s3:::data-*\"", "[\"arn:aws:sqs:*:111122223333:q\",\"arn:aws:s3:::b/${aws:username}/*\"]"];
    let conditions = [
        "",
        "",
        "",
        r#","Condition":{"StringEquals":{"aws:RequestedRegion":["eu-west-1","us-east-1"]}}"#,
        r#","Condition":{"Bool":{"aws:MultiFactorAuthPresent":"true"}}"#,
        r#","Condition":{"IpAddress":{"aws:SourceIp":"192.0.2.0/24"}}"#,
    ];
    let key = if is_not { "NotAction" } else { "Action" };
    let resource = random.pick(&resources).copied().unwrap_or("\"*\"");
    let condition = random.pick(&conditions).copied().unwrap_or_default();
    format!(r#"{{{sid}"Effect":"{effect}","{key}":[{}],"Resource":{resource}{condition}}}"#, actions.join(","))
}

/// An action, or a pattern: of services that people use more often than of others.
fn pattern(catalogue: &Catalogue, random: &mut Random) -> String {
    let common =
        ["s3", "ec2", "sqs", "sns", "iam", "lambda", "dynamodb", "kms", "logs", "cloudwatch", "ecs", "rds", "glue"];
    let services: Vec<&String> = catalogue.services().keys().collect();
    let service = match random.percent(70) {
        true => random.pick(&common).map(|service| (*service).to_owned()),
        false => random.pick(&services).map(|service| (*service).clone()),
    };
    let service = service.unwrap_or_default();
    let own: Vec<usize> = catalogue.services().get(&service).cloned().into_iter().flatten().collect();
    let name = random.pick(&own).and_then(|at| catalogue.action(*at)).map_or("s3:GetObject", |action| &action.name);
    let action = name.split(':').nth(1).unwrap_or_default();
    let some = |text: &str, share: usize| text.chars().take(text.len() * share / 100).collect::<String>();
    match random.below(20) {
        0..10 => name.to_owned(),
        10 => name.to_ascii_lowercase(),
        11..13 => format!("{service}:*"),
        13..16 => format!("{service}:{}*", some(action, 40)),
        16 => format!("{service}:*{}", action.chars().skip(action.len() / 2).collect::<String>()),
        17 => {
            format!("{service}:{}*{}", some(action, 30), action.chars().skip(action.len() * 2 / 3).collect::<String>())
        }
        18 => format!(
            "{service}:{}",
            action.chars().enumerate().map(|(at, c)| if at == 2 { '?' } else { c }).collect::<String>()
        ),
        _ if random.percent(10) => "*".to_owned(),
        _ => format!("{service}:NoSuch{}", random.word(4)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::judge::Json;

    #[test]
    fn a_line_of_a_corpus() {
        let line = r#"{"source":"x","name":"N","document":{"Statement": []}}"#;
        assert_eq!(entry(line), Some(("N".to_owned(), r#"{"Statement": []}"#.to_owned())));
    }

    #[test]
    fn layout_changes_nothing_but_layout() {
        let text = r#"{"a":["x y\\","{:,\"]"],"b":{}}"#;
        assert_ne!(laid_out(text), text);
        assert_eq!(Json::parse(&laid_out(text)), Json::parse(text));
    }

    #[test]
    fn generated_documents_are_policies() {
        let catalogue = Catalogue::load().unwrap();
        let mut random = Random::new(5);
        for _ in 0..200 {
            let document = generate(&catalogue, &mut random);
            let is_irregular = document.policy == Err("duplicate key `Action`".to_owned());
            assert!(document.policy.is_ok() || is_irregular, "{document:?}");
        }
    }
}

//! One document in several, where it does not fit a quota whole.

use std::ops::Range;

use secateur_analyzer::analysis::is_kept_by_sid;
use secateur_analyzer::document::{ActionBlock, PolicyDocument, Statement, counted_characters};

use super::splice::{self, Edit};

/// One of several documents: which statements it has, and which elements of their lists.
#[derive(Debug, Default)]
struct Part {
    statements: Vec<(usize, Range<usize>)>,
    size: usize,
}

/// Splits a document into as few documents as its order allows, each of at most `quota` characters that count. Statements
/// stay in order; an `Action` list that does not fit is continued in an equal statement of the next document.
///
/// None when even one element with its statement is too long.
pub fn split(document: &PolicyDocument, quota: usize) -> Option<Vec<String>> {
    if !document.irregularities.is_empty() {
        return None;
    }
    let text = document.text();
    let of = |statement: &Statement| text.get(statement.span.clone()).map_or(0, counted_characters);
    let all: usize = document.statements.iter().map(|statement| of(statement) + 1).sum();
    let frame = counted_characters(text).saturating_sub(all);
    let mut parts = vec![Part::default()];
    for (at, statement) in document.statements.iter().enumerate() {
        let list = statement.actions.list();
        let whole = of(statement) + 1;
        let entries: usize = list.entries.iter().map(|entry| entry.span.len() + 1).sum();
        let shell = whole.saturating_sub(entries);
        let is_divisible =
            list.is_list && matches!(statement.actions, ActionBlock::Action(_)) && !is_kept_by_sid(statement);
        let last = parts.last_mut()?;
        if frame + last.size + whole <= quota {
            last.statements.push((at, 0..list.entries.len()));
            last.size += whole;
            continue;
        }
        if !is_divisible {
            parts.push(Part { statements: vec![(at, 0..list.entries.len())], size: whole });
            continue;
        }
        let mut from = 0;
        while from < list.entries.len() {
            let room = quota.saturating_sub(frame + parts.last()?.size + shell);
            let mut size = 0;
            let fitting = (list.entries.iter().skip(from))
                .take_while(|entry| {
                    size += entry.span.len() + 1;
                    size <= room
                })
                .count();
            let last = parts.last_mut()?;
            if fitting == 0 {
                if last.statements.is_empty() {
                    return None;
                }
                parts.push(Part::default());
                continue;
            }
            let taken: usize = list.entries.iter().skip(from).take(fitting).map(|entry| entry.span.len() + 1).sum();
            last.statements.push((at, from..from + fitting));
            last.size += shell + taken;
            from += fitting;
        }
    }
    let texts: Vec<String> = parts.iter().map(|part| write(document, part)).collect();
    texts.iter().all(|text| counted_characters(text) <= quota).then_some(texts)
}

fn write(document: &PolicyDocument, part: &Part) -> String {
    let text = document.text();
    let own = |at: usize| part.statements.iter().find(|(own, _)| *own == at).map(|(_, entries)| entries);
    let stays: Vec<bool> = (0..document.statements.len()).map(|at| own(at).is_some()).collect();
    let spans: Vec<Range<usize>> = document.statements.iter().map(|statement| statement.span.clone()).collect();
    let mut edits: Vec<Edit> = splice::cut(text, &spans, &stays);
    for (at, statement) in document.statements.iter().enumerate() {
        let Some(entries) = own(at) else { continue };
        let list = statement.actions.list();
        if entries.len() < list.entries.len() {
            let spans: Vec<Range<usize>> = list.entries.iter().map(|entry| entry.span.clone()).collect();
            let stays: Vec<bool> = (0..spans.len()).map(|entry| entries.contains(&entry)).collect();
            edits.extend(splice::cut(text, &spans, &stays));
        }
    }
    splice::apply(text, edits)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(quota: usize, before: &str, expect: Option<&[&str]>) {
        let document = PolicyDocument::parse(before).unwrap();
        let parts = split(&document, quota);
        assert_eq!(parts, expect.map(|parts| parts.iter().map(|part| (*part).to_owned()).collect()), "{quota}");
    }

    #[test]
    fn statements_stay_in_order_and_lists_go_on() {
        let before = r#"{"Statement":[{"Effect":"Allow","Action":["a:A","a:B","a:C"],"Resource":"*"},{"Effect":"Allow","NotAction":["b:B","c:C"],"Resource":"x"}]}"#;
        check(200, before, Some(&[before]));
        let first = r#"{"Statement":[{"Effect":"Allow","Action":["a:A","a:B","a:C"],"Resource":"*"}]}"#;
        let second = r#"{"Statement":[{"Effect":"Allow","NotAction":["b:B","c:C"],"Resource":"x"}]}"#;
        check(first.len(), before, Some(&[first, second]));
        check(
            76,
            before,
            Some(&[
                r#"{"Statement":[{"Effect":"Allow","Action":["a:A","a:B"],"Resource":"*"}]}"#,
                r#"{"Statement":[{"Effect":"Allow","Action":["a:C"],"Resource":"*"}]}"#,
                second,
            ]),
        );
        check(60, before, None);
    }

    #[test]
    fn what_is_kept_by_its_sid_is_not_divided() {
        let kept = r#"{"Statement":[{"Sid":"SecateurKeep","Effect":"Allow","Action":["a:A","a:B"],"Resource":"*"}]}"#;
        let before = kept.replace(
            "\"Resource\":\"*\"}]",
            "\"Resource\":\"*\"},{\"Effect\":\"Allow\",\"Action\":[\"c:C\",\"c:D\"],\"Resource\":\"*\"}]",
        );
        let after = |action: &str| {
            format!("{{\"Statement\":[{{\"Effect\":\"Allow\",\"Action\":[{action}],\"Resource\":\"*\"}}]}}")
        };
        check(kept.len(), &before, Some(&[kept, &after("\"c:C\",\"c:D\"")]));
        check(kept.len() - 1, &before, None);
    }

    #[test]
    fn the_layout_stays() {
        let before = "{\n  \"Statement\": [\n    {\n      \"Effect\": \"Allow\",\n      \"Action\": [\n        \"a:A\",\n        \"a:B\"\n      ],\n      \"Resource\": \"*\"\n    }\n  ]\n}";
        let part = |name: &str| {
            format!(
                "{{\n  \"Statement\": [\n    {{\n      \"Effect\": \"Allow\",\n      \"Action\": [\n        \"{name}\"\n      ],\n      \"Resource\": \"*\"\n    }}\n  ]\n}}"
            )
        };
        check(71, before, Some(&[&part("a:A"), &part("a:B")]));
    }
}

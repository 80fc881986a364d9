//! Whether a resource pattern of a policy and the ARNs of a resource type have an ARN in common.

/// A sign of a pattern.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Sign {
    /// Any run of characters.
    Run,
    /// Any run of characters without a slash.
    Word,
    /// Any character.
    One,
    /// This character.
    Char(char),
}

impl Sign {
    const fn is_run(self) -> bool {
        matches!(self, Self::Run | Self::Word)
    }

    fn takes(self, other: Self) -> bool {
        match (self, other) {
            (Self::Word, Self::Char(c)) | (Self::Char(c), Self::Word) => c != '/',
            (Self::Char(a), Self::Char(b)) => a == b,
            _ => true,
        }
    }
}

/// Whether the pattern of a policy may stand for a resource of a type, given as AWS writes it: `arn:${Partition}:s3:::${BucketName}`.
pub fn applies(policy: &str, template: &str, has_variables: bool) -> bool {
    let template = of_template(template);
    let policy = of_policy(policy, has_variables);
    // Part by part where both have all parts, so that a star stays in its own.
    match (parts(&policy), parts(&template)) {
        (Some(policy), Some(template)) => policy.iter().zip(&template).all(|(one, other)| meet(one, other)),
        _ => meet(&policy, &template),
    }
}

/// Whether everything that one pattern matches is matched by the other; may say no where the answer is yes.
pub fn covers(wide: &str, narrow: &str) -> bool {
    // A star of the narrow pattern is a character that only a star of the wide one matches.
    let wide: Vec<char> = wide.chars().collect();
    let narrow: Vec<char> = narrow.chars().collect();
    let mut reached = vec![false; narrow.len() + 1];
    if let Some(first) = reached.first_mut() {
        *first = true;
    }
    for sign in wide {
        let mut next = vec![false; narrow.len() + 1];
        let mut any = false;
        for (at, slot) in next.iter_mut().enumerate() {
            let here = reached.get(at).copied().unwrap_or(false);
            any |= here;
            let before = at.checked_sub(1);
            let previous = before.and_then(|at| reached.get(at)).copied().unwrap_or(false);
            let own = before.and_then(|at| narrow.get(at)).copied();
            *slot = match sign {
                '*' => any,
                '?' => previous && own.is_some_and(|c| c != '*'),
                _ => previous && own == Some(sign),
            };
        }
        reached = next;
    }
    reached.last().copied().unwrap_or(false)
}

/// Whether two patterns of policies may stand for one resource; variables may be anything.
pub fn meets(one: &str, other: &str, has_variables: bool) -> bool {
    meet(&of_policy(one, has_variables), &of_policy(other, true))
}

fn of_template(text: &str) -> Vec<Sign> {
    let mut signs = Vec::new();
    let mut rest = text;
    while let Some((head, tail)) = rest.split_once("${") {
        signs.extend(head.chars().map(Sign::Char));
        let (name, after) = tail.split_once('}').unwrap_or((tail, ""));
        signs.push(if name == "BucketName" { Sign::Word } else { Sign::Run });
        rest = after;
    }
    signs.extend(rest.chars().map(|c| if c == '*' { Sign::Run } else { Sign::Char(c) }));
    signs
}

fn of_policy(text: &str, has_variables: bool) -> Vec<Sign> {
    let mut signs = Vec::new();
    let mut rest = text;
    while let Some((head, tail)) = rest.split_once("${").filter(|_| has_variables) {
        let Some((_, after)) = tail.split_once('}') else { break };
        signs.extend(head.chars().map(sign));
        signs.push(Sign::Run);
        rest = after;
    }
    signs.extend(rest.chars().map(sign));
    signs
}

const fn sign(c: char) -> Sign {
    match c {
        '*' => Sign::Run,
        '?' => Sign::One,
        c => Sign::Char(c),
    }
}

/// The six parts of an ARN, if there are that many.
fn parts(signs: &[Sign]) -> Option<Vec<&[Sign]>> {
    let parts: Vec<&[Sign]> = signs.splitn(6, |sign| *sign == Sign::Char(':')).collect();
    (parts.len() == 6).then_some(parts)
}

/// Whether two patterns match a text in common.
fn meet(one: &[Sign], other: &[Sign]) -> bool {
    // From the ends: whether what is left of both, from here on, meets.
    let mut below: Vec<bool> = Vec::new();
    for at in (0..=one.len()).rev() {
        let mut row = vec![false; other.len() + 1];
        for to in (0..=other.len()).rev() {
            let (a, b) = (one.get(at).copied(), other.get(to).copied());
            let down = below.get(to).copied().unwrap_or(false);
            let right = row.get(to + 1).copied().unwrap_or(false);
            let across = below.get(to + 1).copied().unwrap_or(false);
            let met = match (a, b) {
                (None, None) => true,
                (Some(a), None) => a.is_run() && down,
                (None, Some(b)) => b.is_run() && right,
                (Some(a), Some(b)) => match (a.is_run(), b.is_run()) {
                    (true, true) => down || right,
                    (true, false) => down || (right && a.takes(b)),
                    (false, true) => right || (down && b.takes(a)),
                    (false, false) => across && a.takes(b),
                },
            };
            if let Some(slot) = row.get_mut(to) {
                *slot = met;
            }
        }
        below = row;
    }
    below.first().copied().unwrap_or(false)
}

#[cfg(test)]
mod tests {
    use super::*;

    const BUCKET: &str = "arn:${Partition}:s3:::${BucketName}";
    const OBJECT: &str = "arn:${Partition}:s3:::${BucketName}/${ObjectName}";

    #[test]
    fn a_bucket_is_not_an_object() {
        assert!(applies("arn:aws:s3:::b", BUCKET, true));
        assert!(!applies("arn:aws:s3:::b", OBJECT, true));
        assert!(applies("arn:aws:s3:::b/*", OBJECT, true));
        assert!(!applies("arn:aws:s3:::b/*", BUCKET, true));
        assert!(applies("arn:aws:s3:::*", OBJECT, true) && applies("*", BUCKET, true));
        assert!(applies("arn:aws:s3:::home/${aws:username}/*", OBJECT, true));
        assert!(!applies("arn:aws:sqs:*:*:queue", BUCKET, true));
    }

    #[test]
    fn covering_is_by_the_text() {
        assert!(covers("*", "arn:aws:s3:::b/*"));
        assert!(covers("arn:aws:s3:::b/*", "arn:aws:s3:::b/x*"));
        assert!(!covers("arn:aws:s3:::b/?", "arn:aws:s3:::b/*"));
        assert!(!covers("arn:aws:s3:::b/*", "*"));
    }
}

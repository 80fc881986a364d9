//! Covers against brute force, on real services and on hostile ones.

mod brute;
mod catalog;
mod fitting;
mod hostile;
mod readable;
mod selection;
mod shortest;

use secateur_analyzer::action::ActionPattern;

use super::slot::{Kind, Name, Slot, Writing};

/// The generator SplitMix64: small, and the same everywhere.
pub(super) struct Random(pub(super) u64);

impl Random {
    pub(super) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    pub(super) fn below(&mut self, end: usize) -> usize {
        (self.next() % end as u64) as usize
    }

    pub(super) fn one_of<'a>(&mut self, of: &[&'a str]) -> &'a str {
        of[self.below(of.len())]
    }

    fn word(&mut self) -> String {
        let letters = if self.below(2) == 0 { ["a", "b", "B"] } else { ["Get", "Put", "Acl"] };
        (0..self.below(5)).map(|_| self.one_of(&letters)).collect()
    }

    /// A slot of up to `most` names.
    pub(super) fn slot(&mut self, most: usize) -> Slot {
        let kind = match self.below(3) {
            0 => Kind::Within(ActionPattern::new(self.one_of(&[
                "*", "*", "s:*", "s:*", "s:*", "s:Get*", "s:a*", "s:*a", "s:*Get*", "s:a*b", "s:?*", "*:Get*", "*:*b",
                "S:G*t",
            ]))),
            1 => Kind::Outside(
                (0..1 + self.below(3))
                    .map(|_| {
                        ActionPattern::new(
                            self.one_of(&["s:ab*", "t:*", "s:*b", "s:GetAcl", "s:Get?*", "s:a*a", "*:b*"]),
                        )
                    })
                    .collect(),
            ),
            _ => Kind::Exempt,
        };
        let mut names: Vec<Name> = Vec::new();
        for _ in 0..most * 4 {
            let service = self.one_of(&["s", "s", "s", "t", "u"]);
            let text = format!("{service}:{}", self.word());
            let is_in = match &kind {
                Kind::Within(pattern) => pattern.matches(&text),
                Kind::Outside(old) => !old.iter().any(|old| old.matches(&text)),
                Kind::Exempt => true,
            };
            if is_in && names.len() < most && !names.iter().any(|name| name.text.eq_ignore_ascii_case(&text)) {
                let stays = self.below(2) == 0;
                let risk = if stays { 0 } else { [1, 1, 3, 10, 100, 0][self.below(6)] };
                names.push(Name { text, stays, risk });
            }
        }
        names.sort_by_key(|name| name.text.to_ascii_lowercase());
        let written = match &kind {
            Kind::Within(pattern) => pattern.as_str().len(),
            Kind::Outside(old) => old.iter().map(|old| old.as_str().len()).sum(),
            Kind::Exempt => 0,
        };
        Slot { kind, names, written }
    }
}

/// Returns a slot in the place of `pattern`.
pub(super) fn within(pattern: &str, names: &[(&str, bool, u32)]) -> Slot {
    let mut names: Vec<Name> = names
        .iter()
        .map(|&(text, stays, risk)| Name { text: text.to_owned(), stays, risk: if stays { 0 } else { risk } })
        .collect();
    names.sort_by_key(|name| name.text.to_ascii_lowercase());
    Slot { kind: Kind::Within(ActionPattern::new(pattern)), names, written: pattern.len() }
}

pub(super) fn listed(writing: &Writing) -> Vec<&str> {
    match writing {
        Writing::AsWritten => vec!["as written"],
        Writing::Patterns(patterns) => patterns.iter().map(String::as_str).collect(),
    }
}

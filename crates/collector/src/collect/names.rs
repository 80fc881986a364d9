//! Names of files. They are free; `Arn` within a file decides whom it is about.

/// Returns a file's name for the name of an entity or a policy, which is unique within its kind.
///
/// IAM's names have letters, digits and `_+=,.@-`; a percent sign is none of them. A name that begins with a dot would be
/// hidden, and some names are those of devices on Windows: their first character is written as its number.
///
/// See <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html#reference_iam-quotas-names>.
pub(super) fn file(folder: &str, name: &str) -> String {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "_+=,.@-".contains(c);
    let stem = name.split('.').next().unwrap_or_default().to_ascii_uppercase();
    let is_device = matches!(stem.as_str(), "CON" | "PRN" | "AUX" | "NUL")
        || (stem.len() == 4 && (stem.starts_with("COM") || stem.starts_with("LPT")));
    let mut written = String::with_capacity(name.len());
    for (at, c) in name.char_indices() {
        if is_plain(c) && !(at == 0 && (c == '.' || is_device)) {
            written.push(c);
        } else {
            let mut bytes = [0; 4];
            written.extend(c.encode_utf8(&mut bytes).bytes().map(|byte| format!("%{byte:02X}")));
        }
    }
    format!("{folder}/{written}.json")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_legal_name_has_a_visible_file() {
        assert_eq!(file("last-accessed/role", "A_b+c=d,e.f@g-1"), "last-accessed/role/A_b+c=d,e.f@g-1.json");
        assert_eq!(file("x", ".hidden"), "x/%2Ehidden.json");
        assert_eq!(file("x", ".."), "x/%2E..json");
        assert_eq!(file("x", "con"), "x/%63on.json");
        assert_eq!(file("x", "LPT1.a"), "x/%4CPT1.a.json");
        assert_eq!(file("x", "a/é"), "x/a%2F%C3%A9.json");
    }
}

//! Markers: opaque to clients, bound to what they belong to.

use std::fmt::Write;

/// Makes a marker from what it is bound to and where the next page begins.
pub fn make(bound_to: &str, next: &str) -> String {
    let text = format!("{:016x}{next}", fingerprint(bound_to));
    text.bytes().fold(String::with_capacity(text.len() * 2), |mut marker, byte| {
        // Writing to a string does not fail.
        let _ = write!(marker, "{byte:02x}");
        marker
    })
}

/// Reads where the page begins, if the marker is one and is bound to this.
pub fn read(bound_to: &str, marker: &str) -> Option<String> {
    let digits = marker.as_bytes().chunks(2).map(|pair| std::str::from_utf8(pair).ok());
    let bytes: Option<Vec<u8>> = digits.map(|pair| u8::from_str_radix(pair?, 16).ok()).collect();
    let text = String::from_utf8(bytes?).ok()?;
    let (bound, next) = text.split_at_checked(16)?;
    (bound == format!("{:016x}", fingerprint(bound_to))).then(|| next.to_owned())
}

/// FNV-1a: a marker is no secret.
fn fingerprint(text: &str) -> u64 {
    text.bytes().fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_marker_is_bound() {
        let marker = make("ListUsers|/", "zoë");
        assert_eq!(read("ListUsers|/", &marker).as_deref(), Some("zoë"));
        assert_eq!(read("ListRoles|/", &marker), None);
        assert_eq!(read("ListUsers|/", "nonsense"), None);
        assert_eq!(read("ListUsers|/", ""), None);
    }
}

//! Actions by their names: documents name thousands, each of which is looked up several times.

use std::hash::{DefaultHasher, Hasher};

/// No action.
const FREE: u32 = u32::MAX;

/// The places of names in a table that is at most half full, each behind where its hash points to.
#[derive(Debug, Default)]
pub(super) struct NameIndex {
    places: Vec<u32>,
}

impl NameIndex {
    /// Makes an index of services and names in lower case, numbered in order.
    pub fn of<'a>(names: impl ExactSizeIterator<Item = (&'a str, &'a str)>) -> NameIndex {
        let mut index = NameIndex { places: vec![FREE; (names.len() * 2 + 1).next_power_of_two()] };
        for ((service, name), number) in names.zip(0..FREE) {
            let at = index.search(service, name, |_| false).1;
            if let Some(place) = index.places.get_mut(at) {
                *place = number;
            }
        }
        index
    }

    /// Returns the number of a service's name, both in lower case; `is_it` compares.
    pub fn find(&self, service: &str, name: &str, is_it: impl Fn(u32) -> bool) -> Option<u32> {
        self.search(service, name, is_it).0
    }

    /// What was found, and the place where the search ended.
    fn search(&self, service: &str, name: &str, is_it: impl Fn(u32) -> bool) -> (Option<u32>, usize) {
        let mut hasher = DefaultHasher::new();
        hasher.write(service.as_bytes());
        hasher.write_u8(b'\t');
        hasher.write(name.as_bytes());
        let last = self.places.len().saturating_sub(1);
        #[expect(clippy::cast_possible_truncation, reason = "the lowest bits are as good as any")]
        let mut at = hasher.finish() as usize & last;
        loop {
            match self.places.get(at) {
                None | Some(&FREE) => return (None, at),
                Some(&number) if is_it(number) => return (Some(number), at),
                Some(_) => at = (at + 1) & last,
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::catalog::Catalog;

    #[test]
    fn every_name_is_found_and_no_other() {
        let catalog = Catalog::embedded();
        for id in catalog.actions() {
            let (service, name) = (catalog.service_prefix(catalog.service_of(id)), catalog.name(id));
            assert_eq!(catalog.action(service, name), Some(id));
            assert_eq!(catalog.action(&service.to_ascii_uppercase(), &name.to_ascii_lowercase()), Some(id));
            assert_eq!(catalog.action(service, &format!("{name}-")), None);
        }
        assert_eq!(catalog.action("", ""), None);
        assert_eq!(super::NameIndex::default().find("s3", "getobject", |_| true), None);
    }
}

//! Actions and services by their names, in any case: reports and documents name them millions of times.

/// No action.
const FREE: u32 = u32::MAX;

/// The places of names in a table that is at most half full, each behind where its hash points to. A name is a pair of
/// texts: service and action, or a service and nothing.
#[derive(Debug, Default)]
pub(super) struct NameIndex {
    places: Vec<u32>,
}

impl NameIndex {
    /// Makes an index of names, numbered in order.
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

    /// Returns the number of a name; `is_it` compares.
    pub fn find(&self, service: &str, name: &str, is_it: impl Fn(u32) -> bool) -> Option<u32> {
        self.search(service, name, is_it).0
    }

    /// What was found, and the place where the search ended.
    fn search(&self, service: &str, name: &str, is_it: impl Fn(u32) -> bool) -> (Option<u32>, usize) {
        let last = self.places.len().saturating_sub(1);
        #[expect(clippy::cast_possible_truncation, reason = "the lowest bits are as good as any")]
        let mut at = hash(service, name) as usize & last;
        loop {
            match self.places.get(at) {
                None | Some(&FREE) => return (None, at),
                Some(&number) if is_it(number) => return (Some(number), at),
                Some(_) => at = (at + 1) & last,
            }
        }
    }
}

/// A hash that is the same in any case of ASCII. It withstands nobody who chooses names to be slow with: whoever makes
/// the table of names has no need of that.
fn hash(service: &str, name: &str) -> u64 {
    /// The bit in which the two cases of a letter differ, in each byte.
    const CASE: u64 = 0x2020_2020_2020_2020;
    /// 2^64 by the golden ratio: the bits of its multiples look like chance.
    const FACTOR: u64 = 0x9e37_79b9_7f4a_7c15;
    let mut hash = 0_u64;
    for text in [service, name] {
        let (chunks, rest) = text.as_bytes().as_chunks::<8>();
        let mut last = [0; 8];
        last.iter_mut().zip(rest).for_each(|(to, from)| *to = *from);
        for chunk in chunks.iter().chain([&last]) {
            hash = (hash.rotate_left(5) ^ (u64::from_le_bytes(*chunk) | CASE)).wrapping_mul(FACTOR);
        }
    }
    hash ^ (hash >> 32)
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

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
        for id in catalog.services() {
            let name = catalog.service_prefix(id);
            assert_eq!(catalog.service(&name.to_ascii_uppercase()), Some(id));
            assert_eq!(catalog.service(&format!("{name}-")), None);
        }
        assert_eq!(catalog.service(""), None);
        assert_eq!(super::NameIndex::default().find("s3", "getobject", |_| true), None);
    }

    #[test]
    fn names_are_found_at_once() {
        let catalog = Catalog::embedded();
        let compared = Cell::new(0);
        for id in catalog.actions() {
            let service = catalog.service_prefix(catalog.service_of(id));
            catalog.by_name.find(service, catalog.name(id), |number| {
                compared.set(compared.get() + 1);
                number as usize == id.index()
            });
        }
        assert!(compared.get() < catalog.len() * 3 / 2, "{} of {}", compared.get(), catalog.len());
    }
}

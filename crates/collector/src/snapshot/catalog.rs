//! The snapshot's own catalogue: the service reference of the day it was collected.

use std::fs;
use std::sync::Arc;

use secateur_analyzer::account::Gap;
use secateur_analyzer::catalog::Catalog;
use secateur_analyzer::document::sha256_of;

use super::inventory::Inventory;
use super::place::Place;
use super::{Manifest, SnapshotError};

/// Returns the catalogue that the reports are read with: the one that this build carries, brought up to date with the files
/// in `catalog/`.
///
/// Without a manifest nothing says of which day those files are, so nothing could say since when an action is tracked:
/// they are left out, and a gap tells so.
pub(super) fn read(inventory: &mut Inventory, manifest: Option<&Manifest>) -> Result<Arc<Catalog>, SnapshotError> {
    let files: Vec<_> = inventory.files.values().filter(|file| file.place == Place::Catalog).collect();
    if files.is_empty() {
        return Ok(Catalog::shared());
    }
    let Some(manifest) = manifest else {
        inventory.gaps.push(Gap {
            subject: "catalog".to_owned(),
            kind: "catalog-undated".to_owned(),
            detail: "without a manifest the day of the service reference is not known: it is not used".to_owned(),
        });
        return Ok(Catalog::shared());
    };
    let mut contents = Vec::with_capacity(files.len());
    for file in files {
        let bytes = fs::read(&file.path).map_err(|source| SnapshotError::reading(&file.path, source))?;
        let (found, expected) = (sha256_of(&bytes), manifest.files.get(&file.name));
        if let Some(&expected) = expected.filter(|expected| **expected != found) {
            return Err(SnapshotError::Altered { path: file.path.clone(), expected, found });
        }
        contents.push((file.path.display().to_string(), bytes));
    }
    match Catalog::updated(Catalog::embedded(), &contents, manifest.started_at) {
        Ok((catalog, _)) => Ok(Arc::new(catalog)),
        Err(error) => Err(SnapshotError::Reference { error }),
    }
}

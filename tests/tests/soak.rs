//! A short soak: a few small accounts, always the same.

use secateur_tests::binary;
use secateur_tests::soak::{Size, Soak};

#[test]
fn a_few_drawn_accounts_are_planned_rightly() {
    let soak = Soak::new(&binary(), Size { fewest: 6, most: 12 }).unwrap();
    println!("{}", soak.sources());
    let counts = soak
        .run(1, Some(4), None, |_, _| {})
        .unwrap_or_else(|failure| panic!("seed {}: {}; kept: {}", failure.seed, failure.why, failure.folder.display()));
    assert_eq!(counts.accounts, 4);
    assert!(counts.removed > 100 && counts.requests > 100, "the accounts say too little: {counts:?}");
}

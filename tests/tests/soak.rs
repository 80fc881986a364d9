//! A short soak: a few small accounts, always the same.

use std::ops::ControlFlow;

use secateur_tests::binary;
use secateur_tests::soak::{Size, Soak};

#[test]
fn a_few_drawn_accounts_are_planned_rightly() {
    let soak = Soak::new(&binary(), Size { fewest: 6, most: 12 }).unwrap();
    println!("{}", soak.sources());
    let counts = soak.run(1, Some(4), None, |seed, judged, _| {
        judged.unwrap_or_else(|failure| panic!("seed {seed}: {}; kept: {}", failure.why, failure.folder.display()));
        ControlFlow::Continue(())
    });
    assert_eq!(counts.accounts, 4);
    assert!(counts.removed > 100 && counts.requests > 100, "the accounts say too little: {counts:?}");
}

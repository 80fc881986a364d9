//! The support library finds the binary that the end-to-end tests run.

#[test]
fn the_binary_exists_and_is_built_once() {
    let path = secateur_tests::binary();
    assert!(path.is_file(), "{} is not a file", path.display());
    assert_eq!(secateur_tests::binary(), path);
}

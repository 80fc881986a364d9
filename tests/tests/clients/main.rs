//! The real clients against the emulator.
#[test]
fn links() {
    let _ = (aws_sdk_iam::meta::PKG_VERSION, aws_sdk_kms::meta::PKG_VERSION, aws_sdk_sts::meta::PKG_VERSION);
}

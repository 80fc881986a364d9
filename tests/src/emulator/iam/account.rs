//! The account's summary.

use crate::emulator::call::Call;
use crate::emulator::state::Kind;
use crate::emulator::wire::{Error, Xml};

/// `GetAccountSummary`: counts as they are, quotas as the account has them.
pub fn summary(call: &mut Call<'_>, xml: &mut Xml) -> Result<(), Error> {
    let account = call.account();
    let mut entries = account.quotas.0.clone();
    let own = account.policies().values().filter(|policy| !policy.is_of_aws());
    let counts = [
        ("Users", account.of(Kind::User).len()),
        ("Groups", account.of(Kind::Group).len()),
        ("Roles", account.of(Kind::Role).len()),
        ("Policies", own.clone().count()),
        ("PolicyVersionsInUse", own.map(|policy| policy.versions.len()).sum()),
    ];
    for (name, count) in counts {
        entries.insert(name.to_owned(), i64::try_from(count).unwrap_or(i64::MAX));
    }
    xml.object("SummaryMap", |xml| {
        for (name, value) in &entries {
            xml.object("entry", |xml| {
                xml.text("key", name);
                xml.value("value", value);
            });
        }
    });
    Ok(())
}

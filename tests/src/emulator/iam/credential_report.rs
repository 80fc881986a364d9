//! The credential report: a table of users with their passwords and keys, kept for four hours.
//!
//! See <https://docs.aws.amazon.com/IAM/latest/UserGuide/id_credentials_getting-report.html>.

use crate::emulator::call::Call;
use crate::emulator::state::{AccessKey, Account, Entity, Kind};
use crate::emulator::time::{SECOND, Time};
use crate::emulator::wire::{Error, Xml};

/// How long a report is kept.
const KEPT: i64 = 4 * 3_600 * SECOND;

/// A report.
#[derive(Clone, Debug)]
pub struct CredentialReport {
    made: Time,
    table: String,
}

const COLUMNS: &str = "user,arn,user_creation_time,password_enabled,password_last_used,password_last_changed,\
                       password_next_rotation,mfa_active,access_key_1_active,access_key_1_last_rotated,\
                       access_key_1_last_used_date,access_key_1_last_used_region,access_key_1_last_used_service,\
                       access_key_2_active,access_key_2_last_rotated,access_key_2_last_used_date,\
                       access_key_2_last_used_region,access_key_2_last_used_service,cert_1_active,cert_1_last_rotated,\
                       cert_2_active,cert_2_last_rotated";

/// `GenerateCredentialReport`: makes one, unless there is one that is not four hours old.
pub fn generate(call: &mut Call<'_>, xml: &mut Xml) -> Result<(), Error> {
    let state = match &call.world.credential_report {
        Some(report) if call.now < report.made => "INPROGRESS",
        Some(report) if call.now.since(report.made) < KEPT => "COMPLETE",
        _ => {
            let (duration, _) = call.world.behaviour.next_job("", &mut call.world.ids);
            let made = call.now.plus(duration);
            call.world.credential_report = Some(CredentialReport { made, table: table(&call.account()) });
            "STARTED"
        }
    };
    xml.text("State", state);
    if state == "STARTED" {
        xml.text("Description", "No report exists. Starting a new report generation task");
    }
    Ok(())
}

/// `GetCredentialReport`.
pub fn get(call: &mut Call<'_>, xml: &mut Xml) -> Result<(), Error> {
    let Some(report) = &call.world.credential_report else {
        return Err(Error::new("ReportNotPresent", 410, "No report exists for this account"));
    };
    if call.now < report.made {
        return Err(Error::new("ReportInProgress", 404, "Report generation is in progress"));
    }
    if call.now.since(report.made) >= KEPT {
        return Err(Error::new("ReportExpired", 410, "The report is more than four hours old"));
    }
    xml.text("Content", base64(report.table.as_bytes()));
    xml.text("ReportFormat", "text/csv");
    xml.value("GeneratedTime", report.made);
    Ok(())
}

fn table(account: &Account) -> String {
    let rows = account.of(Kind::User).values().map(|user| row(account, user));
    std::iter::once(COLUMNS.to_owned()).chain(rows).collect::<Vec<_>>().join("\n")
}

fn row(account: &Account, user: &Entity) -> String {
    let mut cells = vec![user.name.clone(), account.arn_of(user), written(user.created)];
    // Of a password nothing is known here but its last use.
    let password = user.user.password_last_used;
    cells.push(password.is_some().to_string());
    cells.push(password.map_or_else(|| String::from("N/A"), written));
    cells.extend(["N/A", "N/A", "false"].map(String::from));
    for at in 0..2 {
        cells.extend(key(user.user.keys.get(at)));
    }
    cells.extend(["false", "N/A", "false", "N/A"].map(String::from));
    cells.join(",")
}

fn key(key: Option<&AccessKey>) -> [String; 5] {
    let none = || String::from("N/A");
    let Some(key) = key else { return [String::from("false"), none(), none(), none(), none()] };
    let used = key.last_used.as_ref();
    [
        (key.status == "Active").to_string(),
        written(key.created),
        used.map_or_else(none, |used| written(used.time)),
        used.map_or_else(none, |used| used.region.clone()),
        used.map_or_else(none, |used| used.service.clone()),
    ]
}

/// A time as the report has it.
fn written(time: Time) -> String {
    time.to_string().replace('Z', "+00:00")
}

fn base64(bytes: &[u8]) -> String {
    const LETTERS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::with_capacity(bytes.len().div_ceil(3) * 4);
    for three in bytes.chunks(3) {
        let byte = |at: usize| u32::from(three.get(at).copied().unwrap_or(0));
        let bits = byte(0) << 16 | byte(1) << 8 | byte(2);
        for at in 0..4 {
            let sextet = usize::try_from(bits >> (18 - 6 * at) & 63).unwrap_or(0);
            let letter = LETTERS.get(sextet).filter(|_| at <= u32::try_from(three.len()).unwrap_or(0));
            text.push(letter.map_or('=', |letter| char::from(*letter)));
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn three_bytes_are_four_letters() {
        for (bytes, text) in [("", ""), ("f", "Zg=="), ("fo", "Zm8="), ("foo", "Zm9v"), ("foobar", "Zm9vYmFy")] {
            assert_eq!(base64(bytes.as_bytes()), text);
        }
    }
}

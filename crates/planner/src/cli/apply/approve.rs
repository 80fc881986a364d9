//! Somebody's yes.

use std::io::{BufRead as _, IsTerminal as _, Write as _};

use secateur_analyzer::document::Sha256;

use crate::apply::{Approval, Approved, Proposal};
use crate::cli::failure::Failure;
use crate::cli::flags::ApprovalArgs;
use crate::cli::output;

/// How somebody is going to say yes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::cli) enum Way {
    /// By `--approve`.
    Digest(Sha256),
    /// By `--auto-approve`.
    Auto,
    /// By being asked.
    Ask,
}

/// Finds out how, before anything is asked of AWS.
pub(in crate::cli) fn way(args: &ApprovalArgs, digest: Option<Sha256>) -> Result<Way, Failure> {
    match (args.approve, args.auto_approve) {
        (Some(said), _) => match digest.filter(|digest| *digest != said) {
            Some(digest) => Err(not_approved(said, digest)),
            None => Ok(Way::Digest(said)),
        },
        (None, true) => Ok(Way::Auto),
        (None, false) if std::io::stdin().is_terminal() && std::io::stderr().is_terminal() => Ok(Way::Ask),
        (None, false) => {
            let digest = digest.map_or("DIGEST".to_owned(), |digest| digest.to_string());
            Err(Failure::refused("unapproved", "nobody is there to approve: this is no terminal")
                .help(format!("say which plan was reviewed: --approve {digest}")))
        }
    }
}

fn not_approved(said: Sha256, digest: Sha256) -> Failure {
    let message = format!("{said} is approved, and the digest here is {digest}");
    Failure::refused("unapproved", message).help("review what is here, and approve of its digest")
}

/// Approves, or asks. `seen` is the digest that was shown: of the proposal, or of more.
pub(in crate::cli) fn approve(
    way: Way,
    (proposal, seen): (Proposal, Sha256),
    question: &str,
) -> Result<Approved, Failure> {
    let approval = match way {
        Way::Digest(said) if said == seen => Approval::Digest(proposal.digest()),
        Way::Digest(said) => return Err(not_approved(said, seen)),
        Way::Auto => Approval::Auto,
        Way::Ask => {
            ask(seen, question)?;
            Approval::Prompt(proposal.digest())
        }
    };
    proposal.approve(&approval).map_err(|error| not_approved(error.said, error.digest))
}

fn ask(digest: Sha256, question: &str) -> Result<(), Failure> {
    output::note(&format!(
        "\n\u{1b}[1m{question}\u{1b}[0m\n  Digest {digest}\n  Only 'yes' will be accepted to approve.\n"
    ));
    let mut stderr = anstream::stderr();
    // Where the question cannot be shown, it cannot be answered.
    let shown = write!(stderr, "  \u{1b}[1mEnter a value:\u{1b}[0m ").and_then(|()| stderr.flush());
    let mut answer = String::new();
    let read = shown.and_then(|()| std::io::stdin().lock().read_line(&mut answer));
    match read {
        Ok(_) if answer.trim() == "yes" => Ok(()),
        _ => Err(Failure::refused("unapproved", "not approved: nothing was changed").help("answer `yes` to approve")),
    }
}

//! AWS-managed policies: nobody edits them, so that an attachment goes, or a pruned copy takes its place.
//!
//! See <https://docs.aws.amazon.com/IAM/latest/UserGuide/access_policies_managed-vs-inline.html>.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use secateur_analyzer::analysis::Analysis;
use secateur_analyzer::catalog::ActionSet;
use secateur_analyzer::document::PolicyDocument;
use secateur_analyzer::graph::{Entity, Holder, PolicyId};
use secateur_analyzer::parallel;
use secateur_analyzer::verdict::LeftAlone;

use super::attachments::AttachmentSlots;
use super::build::{is_withheld_as_dormant, notes, wanted};
use super::config::AwsManaged;
use super::draft::{Draft, takes_all};
use super::{Advice, PlanOptions, Withheld, fit, subject, withheld};
use crate::rewrite::Outcome;

/// What is to become of AWS-managed policies, and what is said of the rest.
#[derive(Default)]
pub(super) struct AwsManagedDrafts<'a> {
    pub drafts: Vec<Draft<'a>>,
    pub withheld: Vec<Withheld>,
    pub advice: Vec<Advice>,
}

/// An attachment of which something may go.
struct Attachment {
    entity: Entity,
    holders: Vec<Holder>,
    removable: ActionSet,
}

/// A policy that may be detached or replaced, and whom it is attached to.
struct Attached<'a> {
    policy: PolicyId,
    document: &'a PolicyDocument,
    entities: Vec<Entity>,
}

/// What becomes of an attachment of which something may go.
enum Fate<'a> {
    Withheld(Withheld),
    /// It goes whole.
    Detached(Box<Draft<'a>>),
    /// A copy of what stays may take its place.
    Partly(Attachment),
    /// It stays, with so many holders and so much that could go.
    Left {
        holders: usize,
        removable: usize,
    },
}

/// Attachments of one policy that one thread judges at a time.
const PART: usize = 32;

/// Drafts what becomes of the attachments of AWS-managed policies.
pub(super) fn drafts<'a>(
    analysis: &Analysis<'a>,
    policies: &[PolicyId],
    options: &PlanOptions,
    slots: &mut AttachmentSlots<'_, '_>,
) -> AwsManagedDrafts<'a> {
    let mut found = AwsManagedDrafts::default();
    let attached: Vec<Attached<'_>> =
        policies.iter().filter_map(|policy| attached(analysis, *policy, &mut found)).collect();
    let parts: Vec<(&Attached<'_>, &[Entity])> =
        attached.iter().flat_map(|own| own.entities.chunks(PART).map(move |part| (own, part))).collect();
    let fates = parallel::map(analysis.inputs().threads, &parts, |(own, part)| {
        part.iter().filter_map(|entity| fate(analysis, own, *entity, options)).collect::<Vec<_>>()
    });
    let mut of_policy: BTreeMap<PolicyId, Vec<Fate<'_>>> = BTreeMap::new();
    for ((own, _), fates) in parts.iter().zip(fates) {
        of_policy.entry(own.policy).or_default().extend(fates);
    }
    // Who has room for a copy depends on who was given one before.
    for Attached { policy, document, .. } in &attached {
        let fates = of_policy.remove(policy).unwrap_or_default();
        let own = Drafting { analysis, policy: *policy, document, options, found: &mut found, left: BTreeMap::new() };
        own.draft(fates, slots);
    }
    found
}

/// Returns the policy if its attachments may change, or says why they are left alone.
fn attached<'a>(analysis: &Analysis<'a>, policy: PolicyId, found: &mut AwsManagedDrafts<'_>) -> Option<Attached<'a>> {
    let graph = analysis.graph();
    let (judged, reference) = (analysis.policy(policy)?, graph.policy(policy)?);
    if !reference.managed()?.is_aws_managed() {
        return None;
    }
    if let Some(why) = &judged.set_aside {
        let said = || Withheld {
            address: graph.address(policy).to_owned(),
            reason: why.as_str().to_owned(),
            detail: withheld::describe(analysis, why),
        };
        found.withheld.extend((!judged.holders.is_empty()).then(said));
        return None;
    }
    let document = reference.document().and_then(|document| document.policy())?;
    Some(Attached { policy, document, entities: graph.attached_to(policy) })
}

/// Judges one attachment; none if nothing of it may go.
fn fate<'a>(analysis: &Analysis<'a>, own: &Attached<'a>, entity: Entity, options: &PlanOptions) -> Option<Fate<'a>> {
    let Attached { policy, document, .. } = own;
    let holders = subject::reached(analysis.graph(), *policy, entity);
    let removable = wanted(analysis, *policy, &holders, analysis.removable_for(*policy, &holders), options);
    if removable.is_empty() {
        return None;
    }
    if let Some(withheld) = withheld(analysis, *policy, entity, &holders) {
        return Some(Fate::Withheld(withheld));
    }
    // Most attachments stay in part, and what would be written then is not asked for here.
    if document.has_deny() || !takes_all(analysis, document, &holders, &removable, options) {
        // There may be many of them, and a set for each.
        return Some(match is_replaced(document, options) {
            true => Fate::Partly(Attachment { entity, holders, removable }),
            false => Fate::Left { holders: holders.len(), removable: removable.len() },
        });
    }
    let mut draft = Draft::new(analysis, *policy, document, &holders, removable, Outcome::Unchanged, options);
    draft.through = Some(vec![entity]);
    Some(Fate::Detached(Box::new(draft)))
}

/// Whether a copy may take the place of a policy.
fn is_replaced(document: &PolicyDocument, options: &PlanOptions) -> bool {
    options.rewrite.aws_managed == AwsManaged::Replace && !document.has_deny()
}

/// Why the attachment is not changed, though something may go.
fn withheld(analysis: &Analysis<'_>, policy: PolicyId, entity: Entity, holders: &[Holder]) -> Option<Withheld> {
    let address = subject::attachment_address(analysis.graph(), policy, entity);
    if let Some(owner) = subject::owner(analysis.graph(), entity) {
        let detail = LeftAlone::Owned(owner).to_string();
        return Some(Withheld { address, reason: "left-alone".to_owned(), detail });
    }
    is_withheld_as_dormant(analysis, holders).map(|detail| Withheld { address, reason: "dormant".to_owned(), detail })
}

struct Drafting<'d, 'a> {
    analysis: &'d Analysis<'a>,
    policy: PolicyId,
    document: &'a PolicyDocument,
    options: &'d PlanOptions,
    found: &'d mut AwsManagedDrafts<'a>,
    /// By why, how many attachments are left, how many holders they reach, and the most that could go of one.
    left: BTreeMap<&'static str, (usize, usize, usize)>,
}

impl<'a> Drafting<'_, 'a> {
    /// Drafts what is replaced, and says what is left.
    fn draft(mut self, fates: Vec<Fate<'a>>, slots: &mut AttachmentSlots<'_, '_>) {
        let why = match self.document.has_deny() {
            true => "it denies something, so it is neither detached nor replaced",
            false => "AWS owns it; aws_managed = \"replace\" puts a pruned copy in its place",
        };
        let mut partly = Vec::new();
        for fate in fates {
            match fate {
                Fate::Withheld(withheld) => self.found.withheld.push(withheld),
                Fate::Detached(draft) => self.found.drafts.push(*draft),
                Fate::Partly(attachment) => partly.push(attachment),
                Fate::Left { holders, removable } => self.leave((holders, removable), why),
            }
        }
        self.replace(partly, slots);
        self.advise();
    }

    /// Rewrites the document for some of its holders.
    fn rewrite(&self, holders: &[Holder], removable: ActionSet) -> Draft<'a> {
        Draft::new(self.analysis, self.policy, self.document, holders, removable, Outcome::Unchanged, self.options)
    }

    /// Drafts a copy for each distinct result, the one for most attachments first.
    fn replace(&mut self, attachments: Vec<Attachment>, slots: &mut AttachmentSlots<'_, '_>) {
        let quota = fit::Quotas::of(self.analysis.inputs().account).managed;
        let mut by_removable: Vec<(ActionSet, Vec<Attachment>)> = Vec::new();
        for attachment in attachments {
            match by_removable.iter_mut().find(|(removable, _)| *removable == attachment.removable) {
                Some((_, same)) => same.push(attachment),
                None => by_removable.push((attachment.removable.clone(), vec![attachment])),
            }
        }
        let mut by_text: BTreeMap<String, (Draft<'a>, Vec<Attachment>)> = BTreeMap::new();
        for (removable, same) in by_removable {
            let holders: Vec<Holder> = same.iter().flat_map(|attachment| &attachment.holders).cloned().collect();
            let mut draft = self.rewrite(&holders, removable);
            draft.through = Some(same.iter().map(|attachment| attachment.entity).collect());
            let graph = self.analysis.graph();
            self.found.withheld.extend(fit::fit_alone(graph, &mut draft, quota, &self.options.rewrite, slots));
            self.found.withheld.extend(notes(self.analysis, &draft));
            match draft.rewritten.outcome.clone() {
                Outcome::Changed(text) if draft.size_after() <= quota => match by_text.get_mut(&text) {
                    Some((_, others)) => others.extend(same),
                    None => {
                        by_text.insert(text, (draft, same));
                    }
                },
                Outcome::Changed(_) => {
                    let excess = draft.size_after().saturating_sub(quota);
                    self.found.withheld.extend(same.iter().map(|attachment| Withheld {
                        address: subject::attachment_address(graph, self.policy, attachment.entity),
                        reason: "does-not-fit".to_owned(),
                        detail: format!("a pruned copy does not fit: {excess} characters over the quota of {quota}"),
                    }));
                }
                _ => {
                    for Attachment { holders, removable, .. } in &same {
                        self.leave((holders.len(), removable.len()), "nothing of it can go alone");
                    }
                }
            }
        }
        let mut copies: Vec<(String, (Draft<'a>, Vec<Attachment>))> = by_text.into_iter().collect();
        copies.sort_by_key(|(_, (_, attachments))| Reverse(attachments.len()));
        for (text, (draft, attachments)) in copies {
            self.copy(&text, draft, attachments, slots);
        }
    }

    fn copy(
        &mut self,
        text: &str,
        mut draft: Draft<'a>,
        attachments: Vec<Attachment>,
        slots: &mut AttachmentSlots<'_, '_>,
    ) {
        let graph = self.analysis.graph();
        let entities: Vec<Entity> = attachments.iter().map(|attachment| attachment.entity).collect();
        let withhold = |entity: &Entity, detail: String| Withheld {
            address: subject::attachment_address(graph, self.policy, *entity),
            reason: "not-replaced".to_owned(),
            detail,
        };
        match slots.take_copy(self.policy, text, &entities) {
            Ok((copy, full)) => {
                let mut through: Vec<Entity> =
                    entities.iter().filter(|entity| !full.iter().any(|(own, _)| own == *entity)).copied().collect();
                through.sort_unstable();
                self.found.withheld.extend(full.into_iter().map(|(entity, why)| withhold(&entity, why)));
                if !through.is_empty() {
                    draft.through = Some(through);
                    draft.parts = vec![copy];
                    self.found.drafts.push(draft);
                }
            }
            Err(why) => {
                self.found.withheld.extend(entities.iter().map(|entity| withhold(entity, why.clone())));
            }
        }
    }

    fn leave(&mut self, (of_one, removable): (usize, usize), why: &'static str) {
        let (attachments, holders, most) = self.left.entry(why).or_default();
        *attachments += 1;
        *holders += of_one;
        *most = (*most).max(removable);
    }

    /// One line for all attachments that are left for one reason.
    fn advise(self) {
        let all = self.analysis.policy(self.policy).map_or(0, |judged| judged.granted.len());
        for (why, (attachments, holders, most)) in self.left {
            let number = |number: usize, one: &str, many: &str| match number {
                1 => format!("1 {one}"),
                more => format!("{more} {many}"),
            };
            let upto = if attachments == 1 { "" } else { "up to " };
            self.found.advice.push(Advice {
                kind: "aws-managed".to_owned(),
                subject: self.analysis.graph().address(self.policy).to_owned(),
                detail: format!(
                    "{upto}{most} of its {all} actions are unused at {}, which {}: {why}",
                    number(attachments, "attachment", "attachments"),
                    match holders {
                        1 => "reaches 1 principal".to_owned(),
                        more if attachments == 1 => format!("reaches {more} principals"),
                        more => format!("reach {more} principals"),
                    }
                ),
            });
        }
    }
}

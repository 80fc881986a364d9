//! `ListPoliciesGrantingServiceAccess`: which documents, each taken alone, allow something of a service.
//!
//! See <https://docs.aws.amazon.com/IAM/latest/APIReference/API_ListPoliciesGrantingServiceAccess.html>.

use super::catalogue::Catalogue;
use super::operations::unknown_service;
use crate::emulator::call::{Call, page_end};
use crate::emulator::state::{Account, Entity, Kind};
use crate::emulator::wire::{Error, Xml};

/// How many services a call may name.
const MOST: usize = 200;

/// A policy that a principal has.
enum Held<'a> {
    Inline(&'a Entity, &'a str, &'a str),
    Managed(&'a str, &'a str, &'a str),
}

/// `ListPoliciesGrantingServiceAccess`.
pub fn granting(call: &mut Call<'_>, xml: &mut Xml) -> Result<(), Error> {
    let arn = call.params.required("Arn")?;
    let asked = call.params.list("ServiceNamespaces");
    if asked.is_empty() || asked.len() > MOST {
        return Err(Error::validation(format!(
            "1 validation error detected: Value at 'serviceNamespaces' failed to satisfy constraint: \
             Member must have length less than or equal to {MOST} and greater than or equal to 1"
        )));
    }
    let mut namespaces: Vec<(&str, usize)> = Vec::new();
    for namespace in asked {
        let at = Catalogue::get().service(namespace).ok_or_else(|| unknown_service(namespace))?;
        if !namespaces.iter().any(|(_, known)| *known == at) {
            namespaces.push((namespace, at));
        }
    }
    let account = call.account();
    let entity = entity(&account, arn)?;
    let page = call.page_of("MaxItems", "Marker", arn, 100, 1000, || Error::validation("Invalid Marker."))?;
    let mut held = held_by(&account, entity);
    if entity.kind == Kind::User {
        held.extend(account.groups_of(entity).flat_map(|group| held_by(&account, group)));
    }
    let allowed: Vec<_> = held.iter().map(|held| call.world.derivation.of(&[document(held)])).collect();
    let (namespaces, marker) = page.take_listed(namespaces);
    xml.list("PoliciesGrantingServiceAccess", namespaces, |xml, (namespace, service)| {
        xml.text("ServiceNamespace", namespace);
        let granting = held.iter().zip(&allowed).filter(|(_, allowed)| allowed.has(service));
        xml.list("Policies", granting, |xml, (held, _)| match held {
            Held::Inline(owner, name, _) => {
                xml.text("PolicyName", name);
                xml.text("PolicyType", "INLINE");
                xml.text("EntityType", owner.kind.shout());
                xml.text("EntityName", &owner.name);
            }
            Held::Managed(name, arn, _) => {
                xml.text("PolicyName", name);
                xml.text("PolicyType", "MANAGED");
                xml.text("PolicyArn", arn);
            }
        });
    });
    page_end(xml, marker.as_deref());
    Ok(())
}

const fn document<'a>(held: &Held<'a>) -> &'a str {
    match held {
        Held::Inline(_, _, document) | Held::Managed(_, _, document) => document,
    }
}

fn held_by<'a>(account: &'a Account, entity: &'a Entity) -> Vec<Held<'a>> {
    let inline = entity.inline.iter().map(|inline| Held::Inline(entity, &inline.name, &inline.document));
    let managed = entity.attached.iter().filter_map(|arn| account.policies().get(arn));
    inline.chain(managed.map(|policy| Held::Managed(&policy.name, &policy.arn, policy.document()))).collect()
}

/// The entity of an ARN, whose path is not looked at.
fn entity<'a>(account: &'a Account, arn: &str) -> Result<&'a Entity, Error> {
    let resource = arn.splitn(6, ':').nth(5).unwrap_or_default();
    let (kind, rest) = resource.split_once('/').unwrap_or((resource, ""));
    let kind = Kind::ALL.into_iter().find(|known| known.word() == kind);
    let kind = kind.ok_or_else(|| Error::invalid_input(format!("Unsupported ARN: {arn}")))?;
    let entity = account.of(kind).get(&rest.rsplit('/').next().unwrap_or_default().to_lowercase());
    entity.map(|entity| &**entity).ok_or_else(|| Error::no_such_entity(format!("ARN {arn} does not exist.")))
}

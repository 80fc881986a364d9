//! Tags of users, roles and managed policies.

use super::shape;
use crate::emulator::call::{Call, page_end};
use crate::emulator::state::{Kind, Tag};
use crate::emulator::wire::{Error, Params, Xml, params::constraint};

/// How many tags something bears at most.
const MOST: usize = 50;

/// The tags that a call gives. Keys that begin with `aws:` are AWS's own.
pub fn given(params: &Params) -> Result<Vec<Tag>, Error> {
    let tags = params.pairs("Tags", "Key", "Value");
    if tags.iter().any(|(key, _)| key.to_lowercase().starts_with("aws:")) {
        return Err(Error::invalid_input("System tags cannot be added/updated by requester"));
    }
    for (at, (key, value)) in tags.iter().enumerate() {
        let longest = |name: &str, text: &str, most: usize| match text.chars().count() > most {
            true => Err(constraint(name, text, &format!("Member must have length less than or equal to {most}"))),
            false => Ok(()),
        };
        longest("tags.member.key", key, 128)?;
        longest("tags.member.value", value, 256)?;
        if tags.iter().skip(at + 1).any(|(other, _)| other.eq_ignore_ascii_case(key)) {
            return Err(Error::invalid_input(
                "Duplicate tag keys found. Please note that Tag keys are case insensitive.",
            ));
        }
    }
    if tags.len() > MOST {
        return Err(Error::limit_exceeded(format!("Cannot exceed quota for TagsPerResource: {MOST}")));
    }
    Ok(tags.into_iter().map(|(key, value)| Tag { key: key.to_owned(), value: value.to_owned() }).collect())
}

fn merge(tags: &mut Vec<Tag>, given: Vec<Tag>) -> Result<(), Error> {
    for tag in given {
        let is_full = tags.len() >= MOST;
        match tags.iter_mut().find(|known| known.key.eq_ignore_ascii_case(&tag.key)) {
            Some(known) => *known = tag,
            None if is_full => {
                return Err(Error::limit_exceeded(format!("Cannot exceed quota for TagsPerResource: {MOST}")));
            }
            None => tags.push(tag),
        }
    }
    Ok(())
}

/// `TagUser`, `TagRole`: service-linked roles may be tagged.
pub fn tag(call: &mut Call<'_>, kind: Kind) -> Result<(), Error> {
    let given = given(call.params)?;
    let owner = call.params.required(kind.name_member())?;
    let mut tags = call.world.account().entity(kind, owner)?.tags.clone();
    merge(&mut tags, given)?;
    call.world.edit().entity_mut(kind, owner)?.tags = tags;
    Ok(())
}

/// `UntagUser`, `UntagRole`.
pub fn untag(call: &mut Call<'_>, kind: Kind) -> Result<(), Error> {
    let keys = call.params.list("TagKeys");
    let owner = call.params.required(kind.name_member())?;
    let entity = call.world.edit().entity_mut(kind, owner)?;
    entity.tags.retain(|tag| !keys.iter().any(|key| key.eq_ignore_ascii_case(&tag.key)));
    Ok(())
}

/// `ListUserTags`, `ListRoleTags`.
pub fn list(call: &mut Call<'_>, xml: &mut Xml, kind: Kind) -> Result<(), Error> {
    let account = call.account();
    let entity = account.entity(kind, call.params.required(kind.name_member())?)?;
    list_page(call, xml, &entity.name, &entity.tags)
}

/// `TagPolicy`.
pub fn tag_policy(call: &mut Call<'_>) -> Result<(), Error> {
    let given = given(call.params)?;
    let arn = call.params.required("PolicyArn")?;
    let policy = call.world.account().policy(arn)?;
    super::policy::own(policy)?;
    let mut tags = policy.tags.clone();
    merge(&mut tags, given)?;
    call.world.edit().policy_mut(arn)?.tags = tags;
    Ok(())
}

/// `UntagPolicy`.
pub fn untag_policy(call: &mut Call<'_>) -> Result<(), Error> {
    let keys = call.params.list("TagKeys");
    let arn = call.params.required("PolicyArn")?;
    let policy = call.world.edit().policy_mut(arn)?;
    super::policy::own(policy)?;
    policy.tags.retain(|tag| !keys.iter().any(|key| key.eq_ignore_ascii_case(&tag.key)));
    Ok(())
}

/// `ListPolicyTags`.
pub fn list_policy(call: &mut Call<'_>, xml: &mut Xml) -> Result<(), Error> {
    let account = call.account();
    let policy = account.policy(call.params.required("PolicyArn")?)?;
    list_page(call, xml, &policy.arn, &policy.tags)
}

fn list_page(call: &Call<'_>, xml: &mut Xml, of: &str, tags: &[Tag]) -> Result<(), Error> {
    let (tags, marker) = call.page(of)?.take_listed(tags.iter().cloned());
    shape::tags(xml, &tags);
    page_end(xml, marker.as_deref());
    Ok(())
}

//! The comparisons that condition operators make.
//!
//! See <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_condition_operators.html>.

use std::cmp::Ordering;
use std::net::IpAddr;

use super::Truth;
use super::context::{Context, Resolved, literal};
use super::glob;
use super::time;

/// An operator without its prefix and without `IfExists`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Operator {
    kind: Kind,
    is_negated: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Text,
    TextFolded,
    Like,
    Arn,
    Number(&'static [Ordering]),
    Date(&'static [Ordering]),
    Bool,
    Binary,
    Ip,
    Null,
}

const EQUAL: &[Ordering] = &[Ordering::Equal];
const LESS: &[Ordering] = &[Ordering::Less];
const AT_MOST: &[Ordering] = &[Ordering::Less, Ordering::Equal];
const GREATER: &[Ordering] = &[Ordering::Greater];
const AT_LEAST: &[Ordering] = &[Ordering::Greater, Ordering::Equal];

impl Operator {
    /// `Null`, which looks at the key and not at values.
    #[expect(non_upper_case_globals, reason = "as AWS spells it")]
    pub(super) const Null: Operator = Operator { kind: Kind::Null, is_negated: false };

    /// Returns the operator of a name in lower case; none for one that the judge does not know.
    pub(super) fn of(name: &str) -> Option<Operator> {
        let is = |kind| Operator { kind, is_negated: false };
        let not = |kind| Operator { kind, is_negated: true };
        Some(match name {
            "stringequals" => is(Kind::Text),
            "stringnotequals" => not(Kind::Text),
            "stringequalsignorecase" => is(Kind::TextFolded),
            "stringnotequalsignorecase" => not(Kind::TextFolded),
            "stringlike" => is(Kind::Like),
            "stringnotlike" => not(Kind::Like),
            "arnequals" | "arnlike" => is(Kind::Arn),
            "arnnotequals" | "arnnotlike" => not(Kind::Arn),
            "numericequals" => is(Kind::Number(EQUAL)),
            "numericnotequals" => not(Kind::Number(EQUAL)),
            "numericlessthan" => is(Kind::Number(LESS)),
            "numericlessthanequals" => is(Kind::Number(AT_MOST)),
            "numericgreaterthan" => is(Kind::Number(GREATER)),
            "numericgreaterthanequals" => is(Kind::Number(AT_LEAST)),
            "dateequals" => is(Kind::Date(EQUAL)),
            "datenotequals" => not(Kind::Date(EQUAL)),
            "datelessthan" => is(Kind::Date(LESS)),
            "datelessthanequals" => is(Kind::Date(AT_MOST)),
            "dategreaterthan" => is(Kind::Date(GREATER)),
            "dategreaterthanequals" => is(Kind::Date(AT_LEAST)),
            "bool" => is(Kind::Bool),
            "binaryequals" => is(Kind::Binary),
            "ipaddress" => is(Kind::Ip),
            "notipaddress" => not(Kind::Ip),
            "null" => Operator::Null,
            _ => return None,
        })
    }

    /// Returns whether none of the values may match, instead of one.
    pub(super) fn is_negated(self) -> bool {
        self.is_negated
    }

    /// Compares a value of the policy with one of the request, as if the operator were not negated.
    pub(super) fn compare(self, own: &str, request: &str, context: &Context, has_variables: bool) -> Truth {
        let by = |same: &dyn Fn(&str, &str) -> bool| match resolved(own, context, has_variables) {
            Resolved::Pattern(own) => Truth::from(same(&own, request)),
            Resolved::Open { written, .. } if same(&written, request) => Truth::Yes,
            Resolved::Open { .. } => Truth::Unknown,
        };
        match self.kind {
            Kind::Text => by(&|own, request| own == literal(request) || own == request),
            Kind::TextFolded => {
                by(&|own, request| own.eq_ignore_ascii_case(&literal(request)) || own.eq_ignore_ascii_case(request))
            }
            Kind::Like => by(&|own, request| glob::matches(own, &literal(request))),
            Kind::Arn => by(&|own, request| glob::matches_arn(own, &literal(request))),
            Kind::Number(wanted) => match (own.parse::<f64>(), request.parse::<f64>()) {
                (Ok(own), Ok(request)) => {
                    Truth::from(request.partial_cmp(&own).is_some_and(|order| wanted.contains(&order)))
                }
                _ => Truth::Unknown,
            },
            Kind::Date(wanted) => match (time::parse(own), time::parse(request)) {
                (Some(own), Some(request)) => Truth::from(wanted.contains(&request.cmp(&own))),
                _ => Truth::Unknown,
            },
            Kind::Bool => Truth::from(own.eq_ignore_ascii_case(request)),
            Kind::Binary => Truth::from(own == request),
            Kind::Ip => match (network(own), request.parse::<IpAddr>()) {
                (Some((network, bits)), Ok(address)) => Truth::from(contains(network, bits, address)),
                _ => Truth::Unknown,
            },
            Kind::Null => Truth::Unknown,
        }
    }
}

fn resolved(own: &str, context: &Context, has_variables: bool) -> Resolved {
    if has_variables { context.resolve(own) } else { Resolved::Pattern(own.to_owned()) }
}

fn network(text: &str) -> Option<(IpAddr, u32)> {
    let (address, bits) = match text.split_once('/') {
        Some((address, bits)) => (address.parse::<IpAddr>().ok()?, bits.parse().ok()?),
        None => {
            let address: IpAddr = text.parse().ok()?;
            (address, if address.is_ipv4() { 32 } else { 128 })
        }
    };
    (bits <= if address.is_ipv4() { 32 } else { 128 }).then_some((address, bits))
}

fn contains(network: IpAddr, bits: u32, address: IpAddr) -> bool {
    match (network, address) {
        (IpAddr::V4(network), IpAddr::V4(address)) => {
            let mask = u32::MAX.checked_shl(32 - bits).unwrap_or(0);
            network.to_bits() & mask == address.to_bits() & mask
        }
        (IpAddr::V6(network), IpAddr::V6(address)) => {
            let mask = u128::MAX.checked_shl(128 - bits).unwrap_or(0);
            network.to_bits() & mask == address.to_bits() & mask
        }
        _ => false,
    }
}

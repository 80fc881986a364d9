//! Token buckets, as AWS paces its APIs: several may stand over one call.
//!
//! See <https://docs.aws.amazon.com/AWSEC2/latest/APIReference/throttling.html> for how AWS describes such buckets.

use std::collections::BTreeMap;

use crate::emulator::time::Time;

/// A bucket of tokens.
#[derive(Clone, Debug)]
pub struct Bucket {
    /// Tokens a second.
    pub rate: f64,
    /// The most tokens.
    pub burst: f64,
    tokens: f64,
    filled: Option<Time>,
}

impl Bucket {
    /// A full bucket.
    pub const fn new(rate: f64, burst: f64) -> Self {
        Self { rate, burst, tokens: burst, filled: None }
    }

    fn fill(&mut self, now: Time) {
        let filled = self.filled.replace(now).unwrap_or(now);
        #[expect(clippy::cast_precision_loss, reason = "fractions of a token below 2^-53 do not matter")]
        let seconds = now.since(filled).max(0) as f64 / 1000.0;
        self.tokens = seconds.mul_add(self.rate, self.tokens).min(self.burst);
    }
}

/// All buckets, by what they stand over: `*` every call, `iam` a service, `iam:GetRole` an operation.
#[derive(Clone, Debug, Default)]
pub struct Pacing {
    buckets: BTreeMap<String, Bucket>,
    /// The bucket that every operation gets one of.
    each: Option<Bucket>,
}

impl Pacing {
    /// Sets a bucket; `each` stands for one of every operation.
    pub fn set(&mut self, over: &str, bucket: Option<Bucket>) {
        match (over, bucket) {
            ("each", bucket) => {
                self.buckets.retain(|name, _| !name.starts_with("each "));
                self.each = bucket;
            }
            (over, Some(bucket)) => {
                self.buckets.insert(over.to_owned(), bucket);
            }
            (over, None) => {
                self.buckets.remove(over);
            }
        }
    }

    /// Takes a token from every bucket over a call, or from none.
    pub fn take(&mut self, service: &str, operation: &str, now: Time) -> bool {
        let own = format!("{service}:{operation}");
        let each = format!("each {own}");
        if let Some(bucket) = &self.each {
            self.buckets.entry(each.clone()).or_insert_with(|| bucket.clone());
        }
        let names = ["*", service, &own, &each];
        let mut over: Vec<&mut Bucket> = Vec::new();
        for (name, bucket) in &mut self.buckets {
            if names.contains(&name.as_str()) {
                bucket.fill(now);
                over.push(bucket);
            }
        }
        let has_tokens = over.iter().all(|bucket| bucket.tokens >= 1.0);
        if has_tokens {
            for bucket in over {
                bucket.tokens -= 1.0;
            }
        }
        has_tokens
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_burst_and_then_the_rate() {
        let mut pacing = Pacing::default();
        pacing.set("*", Some(Bucket::new(2.0, 3.0)));
        pacing.set("iam:GetRole", Some(Bucket::new(1.0, 1.0)));
        assert!(pacing.take("iam", "GetRole", Time(0)));
        assert!(!pacing.take("iam", "GetRole", Time(0)), "its own bucket is empty");
        assert!(pacing.take("iam", "GetUser", Time(0)) && pacing.take("kms", "ListKeys", Time(0)));
        assert!(!pacing.take("iam", "GetUser", Time(0)), "the bucket of all is empty");
        assert!(pacing.take("iam", "GetUser", Time(500)));
        assert!(!pacing.take("iam", "GetUser", Time(600)));
    }
}

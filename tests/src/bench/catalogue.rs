//! AWS's actions, read from the table that secateur carries; here it is data, and no code is shared.

use std::ops::Range;

/// All services and their actions, by place.
#[derive(Debug, Default)]
pub(super) struct Catalogue {
    services: Vec<Service>,
    actions: Vec<Action>,
    /// The places of the services that most policies are about.
    popular: Vec<usize>,
}

#[derive(Debug)]
struct Service {
    prefix: String,
    actions: Range<usize>,
}

#[derive(Debug)]
struct Action {
    name: String,
    service: usize,
    tracked: bool,
}

const TABLE: &str = include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/../crates/analyzer/catalog/actions.tsv"));

/// What most accounts use most.
const POPULAR: [&str; 40] = [
    "s3",
    "ec2",
    "iam",
    "lambda",
    "dynamodb",
    "sqs",
    "sns",
    "logs",
    "cloudwatch",
    "kms",
    "sts",
    "rds",
    "ecs",
    "ecr",
    "ssm",
    "secretsmanager",
    "cloudformation",
    "route53",
    "elasticloadbalancing",
    "autoscaling",
    "apigateway",
    "events",
    "states",
    "kinesis",
    "firehose",
    "glue",
    "athena",
    "redshift",
    "elasticache",
    "es",
    "cloudfront",
    "acm",
    "codebuild",
    "codepipeline",
    "cloudtrail",
    "config",
    "guardduty",
    "backup",
    "eks",
    "batch",
];

impl Catalogue {
    /// Reads the table.
    pub(super) fn read() -> Catalogue {
        let mut catalogue = Catalogue::default();
        for line in TABLE.lines().skip(1) {
            let mut columns = line.split('\t');
            let (Some(prefix), Some(name), _, Some(tracked)) =
                (columns.next(), columns.next(), columns.next(), columns.next())
            else {
                continue;
            };
            let at = catalogue.actions.len();
            match catalogue.services.last_mut() {
                Some(last) if last.prefix == prefix => last.actions.end = at + 1,
                _ => catalogue.services.push(Service { prefix: prefix.to_owned(), actions: at..at + 1 }),
            }
            let service = catalogue.services.len() - 1;
            catalogue.actions.push(Action { name: name.to_owned(), service, tracked: tracked == "yes" });
        }
        let is_popular = |service: &Service| POPULAR.contains(&service.prefix.as_str());
        catalogue.popular = (catalogue.services.iter().enumerate())
            .filter(|(_, service)| is_popular(service))
            .map(|(at, _)| at)
            .collect();
        catalogue
    }

    /// Returns how many services there are.
    pub(super) fn services(&self) -> usize {
        self.services.len()
    }

    /// Returns the services that most policies are about.
    pub(super) fn popular(&self) -> &[usize] {
        &self.popular
    }

    /// Returns the service's prefix.
    pub(super) fn prefix(&self, service: usize) -> &str {
        self.services.get(service).map_or("", |service| service.prefix.as_str())
    }

    /// Returns the service with that prefix.
    pub(super) fn service(&self, prefix: &str) -> Option<usize> {
        self.services.iter().position(|service| service.prefix == prefix)
    }

    /// Returns the places of the service's actions.
    pub(super) fn actions(&self, service: usize) -> Range<usize> {
        self.services.get(service).map_or(0..0, |service| service.actions.clone())
    }

    /// Returns the places of all actions.
    pub(super) fn all(&self) -> Range<usize> {
        0..self.actions.len()
    }

    /// Returns the action's name, without its service.
    pub(super) fn name(&self, action: usize) -> &str {
        self.actions.get(action).map_or("", |action| action.name.as_str())
    }

    /// Returns the action's service.
    pub(super) fn service_of(&self, action: usize) -> usize {
        self.actions.get(action).map_or(0, |action| action.service)
    }

    /// Returns whether reports list the action.
    pub(super) fn is_tracked(&self, action: usize) -> bool {
        self.actions.get(action).is_some_and(|action| action.tracked)
    }
}

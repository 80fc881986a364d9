//! Frontiers: of a part of the names, each size that can be had with the least risk for it.

/// More points than this are thinned, evenly; the smallest and the least risky stay.
const MAX_POINTS: usize = 1_000;

/// A size, the least risk for it, and how it comes about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Point {
    pub(super) size: usize,
    pub(super) risk: u64,
    /// A place among the [`Traces`].
    pub(super) trace: usize,
}

impl Point {
    pub(super) const NOTHING: Point = Point { size: 0, risk: 0, trace: 0 };
}

/// Points by growing size and falling risk; never empty.
pub(super) type Frontier = Vec<Point>;

/// A decision that re-admits something. All others are found again from these.
#[derive(Clone, Copy, Debug)]
pub(super) enum Decision {
    /// The star of this node of this tree is written.
    Star { tree: usize, node: usize },
    /// This leaf of this tree is not matched, though it could go.
    Skip { tree: usize, leaf: usize },
    /// The slot stays as written.
    AsWritten { slot: usize },
}

#[derive(Clone, Copy, Debug)]
enum Trace {
    Nothing,
    One(Decision),
    Both(usize, usize),
}

/// How points come about.
#[derive(Debug)]
pub(super) struct Traces(Vec<Trace>);

impl Traces {
    pub(super) fn new() -> Traces {
        Traces(vec![Trace::Nothing])
    }

    pub(super) fn one(&mut self, decision: Decision) -> usize {
        self.0.push(Trace::One(decision));
        self.0.len() - 1
    }

    fn both(&mut self, a: usize, b: usize) -> usize {
        match (a, b) {
            (0, other) | (other, 0) => other,
            _ => {
                self.0.push(Trace::Both(a, b));
                self.0.len() - 1
            }
        }
    }

    /// Returns the decisions behind a point.
    pub(super) fn decisions(&self, trace: usize) -> Vec<Decision> {
        let mut found = Vec::new();
        let mut open = vec![trace];
        while let Some(at) = open.pop() {
            match self.0.get(at) {
                Some(Trace::One(decision)) => found.push(*decision),
                Some(Trace::Both(a, b)) => open.extend([*b, *a]),
                Some(Trace::Nothing) | None => {}
            }
        }
        found
    }
}

/// Adds a point.
pub(super) fn add(frontier: &mut Frontier, point: Point, slack: usize) {
    frontier.push(point);
    // The sort is stable: of equals the earlier one stays.
    frontier.sort_by_key(|point| (point.size, point.risk));
    let kept = keep(frontier.iter().copied(), slack);
    *frontier = kept;
}

/// Keeps the points that none beats, up to `slack` characters above the smallest: what is larger cannot fit, however small
/// all else becomes.
fn keep(sorted: impl Iterator<Item = Point>, slack: usize) -> Frontier {
    let mut kept: Frontier = Vec::with_capacity(sorted.size_hint().1.unwrap_or_default().min(MAX_POINTS));
    let mut most = usize::MAX;
    for point in sorted {
        match kept.last() {
            None => most = point.size.saturating_add(slack),
            Some(last) if point.risk >= last.risk => continue,
            Some(_) if point.size > most => break,
            Some(_) => {}
        }
        kept.push(point);
    }
    thin(kept)
}

fn thin(points: Frontier) -> Frontier {
    if points.len() <= MAX_POINTS {
        return points;
    }
    let last = points.len() - 1;
    (0..MAX_POINTS).filter_map(|at| points.get(at * last / (MAX_POINTS - 1)).copied()).collect()
}

/// Returns the frontier of two parts together.
pub(super) fn merge(a: &Frontier, b: &Frontier, slack: usize, traces: &mut Traces) -> Frontier {
    let (Some(a_first), Some(b_first)) = (a.first(), b.first()) else { return Vec::new() };
    // Where one of them is nothing, the other is the frontier of both.
    match (a.as_slice(), b.as_slice()) {
        ([Point::NOTHING], _) => return b.clone(),
        (_, [Point::NOTHING]) => return a.clone(),
        // With a single point all stay in order.
        ([one], others) => return with_one(others, slack, traces, |other| (*one, *other)),
        (others, [one]) => return with_one(others, slack, traces, |other| (*other, *one)),
        _ => {}
    }
    let least = a_first.size + b_first.size;
    let range = (a.last().map_or(0, |point| point.size) + b.last().map_or(0, |point| point.size)) - least;
    let range = range.min(slack);
    let pairs = a.len().saturating_mul(b.len());
    // A place for each size, or all pairs sorted: whichever is less work.
    let sums: Vec<(usize, u64, usize, usize)> = if pairs > range {
        // The risks stand alone: they are looked at much more often than they are lowered.
        let mut risks: Vec<u64> = vec![u64::MAX; range + 1];
        let mut pairs_of: Vec<(usize, usize)> = vec![(0, 0); range + 1];
        for x in a {
            for y in b {
                let size = x.size + y.size - least;
                let Some(best) = risks.get_mut(size) else { break };
                let risk = x.risk.saturating_add(y.risk);
                if risk < *best {
                    *best = risk;
                    if let Some(own) = pairs_of.get_mut(size) {
                        *own = (x.trace, y.trace);
                    }
                }
            }
        }
        let found = risks.into_iter().zip(pairs_of).enumerate().filter(|(_, (risk, _))| *risk < u64::MAX);
        found.map(|(size, (risk, (x, y)))| (least + size, risk, x, y)).collect()
    } else {
        // Of the longer one whole runs are in order already, and a stable sort joins runs.
        let sum = |x: &Point, y: &Point| (x.size + y.size, x.risk.saturating_add(y.risk), x.trace, y.trace);
        let mut all: Vec<_> = if a.len() < b.len() {
            a.iter().flat_map(|x| b.iter().map(move |y| sum(x, y))).collect()
        } else {
            b.iter().flat_map(|y| a.iter().map(move |x| sum(x, y))).collect()
        };
        all.sort();
        all
    };
    // The traces are joined for those points only that stay.
    let points = sums.iter().enumerate().map(|(at, &(size, risk, ..))| Point { size, risk, trace: at });
    let mut kept = keep(points, slack);
    for point in &mut kept {
        let (x, y) = sums.get(point.trace).map_or((0, 0), |&(.., x, y)| (x, y));
        point.trace = traces.both(x, y);
    }
    kept
}

/// Returns the frontier of a part and of another that has a single point; `pair` puts the two in their order.
fn with_one(others: &[Point], slack: usize, traces: &mut Traces, pair: impl Fn(&Point) -> (Point, Point)) -> Frontier {
    let sum = |(trace, other): (usize, &Point)| {
        let (x, y) = pair(other);
        Point { size: x.size + y.size, risk: x.risk.saturating_add(y.risk), trace }
    };
    let mut kept = keep(others.iter().enumerate().map(sum), slack);
    for point in &mut kept {
        point.trace = others.get(point.trace).map(&pair).map_or(0, |(x, y)| traces.both(x.trace, y.trace));
    }
    kept
}

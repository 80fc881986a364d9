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

/// How points come about.
#[derive(Debug)]
pub(super) struct Traces {
    /// Two traces together; behind a zero, the place of a decision. The first is nothing at all.
    pairs: Vec<(u32, u32)>,
    decisions: Vec<Decision>,
    scratch: Scratch,
}

/// What a merge works with, kept for the next one.
#[derive(Debug, Default)]
struct Scratch {
    /// For each size above the smallest, the least risk.
    risks: Vec<u64>,
    /// The two points, by place, that come to it.
    pairs: Vec<(u32, u32)>,
    /// The sizes that none beats.
    kept: Vec<usize>,
}

impl Traces {
    pub(super) fn new() -> Traces {
        Traces { pairs: vec![(0, 0)], decisions: Vec::new(), scratch: Scratch::default() }
    }

    pub(super) fn one(&mut self, decision: Decision) -> usize {
        self.decisions.push(decision);
        self.push(0, self.decisions.len() - 1)
    }

    fn both(&mut self, a: usize, b: usize) -> usize {
        match (a, b) {
            (0, other) | (other, 0) => other,
            _ => self.push(a, b),
        }
    }

    fn push(&mut self, a: usize, b: usize) -> usize {
        self.pairs.push((narrow(a), narrow(b)));
        self.pairs.len() - 1
    }

    /// Returns the decisions behind a point.
    pub(super) fn decisions(&self, trace: usize) -> Vec<Decision> {
        let mut found = Vec::new();
        let mut open = vec![trace];
        while let Some(at) = open.pop() {
            match self.pairs.get(at).copied().filter(|_| at > 0) {
                Some((0, decision)) => found.extend(self.decisions.get(wide(decision))),
                Some((a, b)) => open.extend([wide(b), wide(a)]),
                None => {}
            }
        }
        found
    }
}

/// Half the room: there are as many traces as points were made, and those do not come to four thousand million.
fn narrow(at: usize) -> u32 {
    u32::try_from(at).unwrap_or(u32::MAX)
}

fn wide(at: u32) -> usize {
    at as usize
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
    thinned(&points).collect()
}

fn thinned<T: Copy>(all: &[T]) -> impl Iterator<Item = T> + '_ {
    let last = all.len().saturating_sub(1);
    (0..MAX_POINTS).filter_map(move |at| all.get(at * last / (MAX_POINTS - 1)).copied())
}

/// Returns the frontier of two parts together.
pub(super) fn merge(a: Frontier, b: Frontier, slack: usize, traces: &mut Traces) -> Frontier {
    // Where one of them is nothing, the other is the frontier of both.
    match (a.as_slice(), b.as_slice()) {
        ([], _) | (_, []) => Vec::new(),
        ([Point::NOTHING], _) => b,
        (_, [Point::NOTHING]) => a,
        // With a single point all stay in order.
        ([one], others) => with_one(others, slack, traces, |other| (*one, *other)),
        (others, [one]) => with_one(others, slack, traces, |other| (*other, *one)),
        (a, b) => by_size(a, b, slack, traces),
    }
}

/// Returns the least risky, and of those the smallest, point of two parts together that fits; all of it is what
/// [`merge`] would find, and its other points are not asked for.
pub(super) fn best(a: &[Point], b: &[Point], budget: usize, slack: usize, traces: &mut Traces) -> Option<Point> {
    let sum = |x: &Point, y: &Point| (x.risk.saturating_add(y.risk), x.size + y.size);
    // The larger the one, the smaller the other has to be: sizes grow in both, and risks fall.
    let mut rest = b.len();
    let mut least = u64::MAX;
    for x in a {
        rest = b.get(..rest).unwrap_or_default().partition_point(|y| x.size + y.size <= budget);
        let Some(y) = rest.checked_sub(1).and_then(|last| b.get(last)) else { break };
        least = least.min(sum(x, y).0);
    }
    // Of equals, the smallest; of those, the one that a merge would take.
    let is_by_place = is_by_place(a, b, slack);
    let pairs = a.iter().enumerate().filter_map(|(x_at, x)| {
        let y_at = b.partition_point(|y| sum(x, y).0 > least);
        let fits = |y: &&Point| sum(x, y).0 == least && sum(x, y).1 <= budget;
        let y = b.get(y_at).filter(fits)?;
        Some((sum(x, y).1, if is_by_place { (x_at, y_at) } else { (x.trace, y.trace) }, (x, y)))
    });
    let (size, _, (x, y)) = pairs.min_by_key(|(size, order, _)| (*size, *order))?;
    Some(Point { size, risk: least, trace: traces.both(x.trace, y.trace) })
}

/// The sizes that two parts together can come to, from the smallest on.
fn range(a: &[Point], b: &[Point], slack: usize) -> usize {
    let extent = |points: &[Point]| match points {
        [first, .., last] => last.size - first.size,
        _ => 0,
    };
    (extent(a) + extent(b)).min(slack)
}

/// Whether there are more pairs than sizes.
fn is_by_place(a: &[Point], b: &[Point], slack: usize) -> bool {
    a.len().saturating_mul(b.len()) > range(a, b, slack)
}

/// Returns the frontier of all pairs, with a place for each size that they can come to.
///
/// Pairs of one size and one risk come about in different ways, and one is as good as the other. Which is taken must be the same in
/// each run: where there are more pairs than sizes, the one with the smaller part of `a`; else the
/// one with the older traces.
fn by_size(a: &[Point], b: &[Point], slack: usize, traces: &mut Traces) -> Frontier {
    let size_of = |point: Option<&Point>| point.map_or(0, |point| point.size);
    let (a_least, b_least) = (size_of(a.first()), size_of(b.first()));
    let least = a_least + b_least;
    let (range, is_by_place) = (range(a, b, slack), is_by_place(a, b, slack));
    let mut scratch = std::mem::take(&mut traces.scratch);
    let Scratch { risks, pairs, kept } = &mut scratch;
    risks.clear();
    risks.resize(range + 1, u64::MAX);
    pairs.resize((range + 1).max(pairs.len()), (0, 0));
    let trace = |(x, y): (u32, u32)| {
        let of = |points: &[Point], at: u32| points.get(wide(at)).map_or(0, |point| point.trace);
        (of(a, x), of(b, y))
    };
    // The longer one is gone through without a break.
    let is_turned = a.len() >= b.len();
    let (outer, inner) = if is_turned { (b, a) } else { (a, b) };
    let (outer_least, inner_least) = if is_turned { (b_least, a_least) } else { (a_least, b_least) };
    for (outer_at, one) in outer.iter().enumerate() {
        let from = one.size - outer_least;
        let (Some(risks), Some(pairs)) = (risks.get_mut(from..), pairs.get_mut(from..)) else { break };
        for (inner_at, other) in inner.iter().enumerate() {
            let size = other.size - inner_least;
            let Some(best) = risks.get_mut(size) else { break };
            let risk = one.risk.saturating_add(other.risk);
            if risk > *best {
                continue;
            }
            let Some(own) = pairs.get_mut(size) else { break };
            let (x, y) = if is_turned { (inner_at, outer_at) } else { (outer_at, inner_at) };
            let pair = (narrow(x), narrow(y));
            let is_first = || if is_by_place { pair < *own } else { trace(pair) < trace(*own) };
            if risk < *best || is_first() {
                (*best, *own) = (risk, pair);
            }
        }
    }
    // What is larger than another and no less risky goes.
    kept.clear();
    let mut last = u64::MAX;
    for (size, risk) in risks.iter().enumerate() {
        if *risk < last {
            last = *risk;
            kept.push(size);
        }
    }
    // The traces are joined for those points only that stay.
    let mut point = |size: usize| {
        let (x, y) = trace(pairs.get(size).copied().unwrap_or_default());
        let risk = risks.get(size).copied().unwrap_or_default();
        Point { size: least + size, risk, trace: traces.both(x, y) }
    };
    let points = if kept.len() <= MAX_POINTS {
        kept.iter().map(|size| point(*size)).collect()
    } else {
        thinned(kept).map(point).collect()
    };
    traces.scratch = scratch;
    points
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

"""The shapes in which published figures leave the reader: frozen, typed, whole numbers.

Counts and quantities are integers, durations whole seconds, instants aware UTC datetimes. An open end is
None. A rate is never stored as a decimal number: `Ratio` keeps the two integers, and only `figures` turns
them to text.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from fractions import Fraction

STATUSES = ("met", "breached", "pending", "waived", "not_covered", "not_measurable")
CUTS = ("month", "customer", "plan", "severity", "obligation")
MONTH_BASES = ("settled", "submitted")


@dataclass(frozen=True)
class Scope:
    """Whose rows may be seen: None is all customers, an empty tuple none. It is a permission, never a
    filter."""

    customer_ids: tuple[str, ...] | None


EVERY_CUSTOMER = Scope(None)


@dataclass(frozen=True)
class Selection:
    """Which of the visible rows are asked for: None leaves a dimension open. `months` are 'YYYY-MM'."""

    customer_ids: tuple[str, ...] | None = None
    months: tuple[str, ...] | None = None
    plans: tuple[str, ...] | None = None
    severities: tuple[int, ...] | None = None
    obligations: tuple[str, ...] | None = None
    statuses: tuple[str, ...] | None = None


EVERYTHING = Selection()


@dataclass(frozen=True)
class Ratio:
    """An exact proportion. A denominator of 0 means that there was nothing to assess, which is not 0 %."""

    numerator: int
    denominator: int

    @property
    def value(self) -> Fraction | None:
        return Fraction(self.numerator, self.denominator) if self.denominator else None


@dataclass(frozen=True)
class Tally:
    """Obligations counted by status. `raw_*` are the verdicts before any waiver was applied."""

    met: int = 0
    breached: int = 0
    pending: int = 0
    waived: int = 0
    not_covered: int = 0
    not_measurable: int = 0
    raw_met: int = 0
    raw_breached: int = 0

    def __add__(self, other: Tally) -> Tally:
        return Tally(
            **{name: getattr(self, name) + getattr(other, name) for name in self.__dataclass_fields__}
        )

    @property
    def counted(self) -> int:
        return self.met + self.breached

    @property
    def total(self) -> int:
        return sum(getattr(self, status) for status in STATUSES)

    @property
    def compliance(self) -> Ratio:
        """met / (met + breached): the other statuses are counted beside it, never inside."""
        return Ratio(self.met, self.counted)

    @property
    def raw_compliance(self) -> Ratio:
        """The same before waivers."""
        return Ratio(self.raw_met, self.raw_met + self.raw_breached)


@dataclass(frozen=True)
class ComplianceRow:
    """One cell of a cut. A dimension that is not cut by is None, and so is a plan or severity that is not
    known; `obligation_kinds` says whether targets, estimates or both are inside, `is_partial` whether the month still
    runs in the time zone of one of the plans inside (None when the rows are not cut by month)."""

    month: str | None
    customer_id: str | None
    customer_name: str | None
    plan: str | None
    severity: int | None
    obligation: str | None
    obligation_kinds: tuple[str, ...]
    is_partial: bool | None
    tally: Tally


@dataclass(frozen=True)
class Compliance:
    """`rows` add up to `total`, and both to the obligations that `tickets` lists for the same selection."""

    by: tuple[str, ...]
    month_basis: str
    rows: tuple[ComplianceRow, ...]
    total: Tally
    as_of: datetime


@dataclass(frozen=True)
class TrendPoint:
    """One month of a trend, also when nothing happened in it. A partial month still runs at the as-of instant, in the
    time zone of a plan."""

    month: str
    is_partial: bool
    tally: Tally


@dataclass(frozen=True)
class Balance:
    """One pool of one subscription term. Quantities are tickets (or redemptions); None = no such number
    exists.

    For a pool with a stated, limited grant: granted + purchased - used + credited + overflowed out -
    overflowed in + overage - expired = remaining. What another pool took over (out) is given back to this
    one; what this one took over (in) is drawn from it; what no pool carries is overage.
    """

    customer_id: str
    customer_name: str
    subscription_id: str
    plan: str
    plan_version: str
    pool: str
    term_starts_on: date
    term_ends_on: date
    is_unlimited: bool
    is_stated: bool
    granted_quantity: int | None
    purchased_quantity: int
    used_quantity: int
    credited_quantity: int
    overflowed_in_quantity: int
    overflowed_out_quantity: int
    expired_quantity: int
    remaining_quantity: int | None
    overage_quantity: int
    consumed_quantity: int
    available_quantity: int | None
    term_seconds: int
    term_elapsed_seconds: int
    days_left: int
    term_status: str
    as_of: datetime

    @property
    def burn(self) -> Ratio | None:
        """Consumed of available units; None where there is no number."""
        return (
            None
            if self.available_quantity is None
            else Ratio(self.consumed_quantity, self.available_quantity)
        )

    @property
    def even_pace(self) -> Ratio:
        """The part of the term that has passed: the burn of a customer who consumes evenly."""
        return Ratio(self.term_elapsed_seconds, self.term_seconds)

    @property
    def adds_up(self) -> bool:
        if self.is_unlimited or self.granted_quantity is None or self.remaining_quantity is None:
            return True
        given = self.granted_quantity + self.purchased_quantity + self.credited_quantity
        taken = self.used_quantity + self.overflowed_in_quantity + self.expired_quantity
        return given + self.overflowed_out_quantity + self.overage_quantity - taken == self.remaining_quantity


@dataclass(frozen=True)
class Forecast:
    """Until when one limited pool of a current term is likely to last, and what that rests on.

    Low and high hold 80 % of what may happen to the draws; a pool is exhausted on a low, mid or high day with a chance of
    10, 50 or 90 %, None = not before the term ends. Chances and yearly rates are estimates, rounded where they were made.
    All of them are None for `too_few_tickets` and `no_active_license`; the days also for `exhausted`.
    """

    customer_id: str
    customer_name: str
    subscription_id: str
    plan: str
    pool: str
    forecast_status: str
    remaining_quantity: int
    ending_quantity: int
    days_left: int
    lasts_ratio: float | None
    draws_low_quantity: int | None
    draws_mid_quantity: int | None
    draws_high_quantity: int | None
    exhausted_on_low: date | None
    exhausted_on_mid: date | None
    exhausted_on_high: date | None
    own_draws_quantity: int
    own_history_days: int
    own_weight_ratio: float | None
    plan_customers_count: int
    plan_draws_quantity: int
    plan_yearly_quantity: float | None
    expected_yearly_quantity: float | None
    dispersion_ratio: float | None
    term_ends_on: date
    as_of: datetime


@dataclass(frozen=True)
class Alert:
    """One thing that an account team should know now, since `raised_at`: `threshold_reached` of a pool (the highest
    threshold that it reached), `likely_to_run_out` of a pool, or `term_ends_soon`, for which the pool and its
    quantities are None.

    Only a forecast has `lasts_ratio`, the chance that the pool lasts, and `exhausted_on_mid`; it is as old as the build,
    so its `raised_at` is None.

    Quantities are tickets (or redemptions), `days_left` begun days, `alert_rank` 1 the most pressing.
    `next_subscription_id` is the term that follows an ending one, if there is one.
    """

    alert_kind: str
    alert_rank: int
    customer_id: str
    customer_name: str
    subscription_id: str
    plan: str
    pool: str | None
    threshold_pct: int | None
    consumed_quantity: int | None
    available_quantity: int | None
    overage_quantity: int | None
    next_subscription_id: str | None
    lasts_ratio: float | None
    exhausted_on_mid: date | None
    days_left: int
    term_ends_on: date
    raised_at: datetime | None
    as_of: datetime

    @property
    def consumed(self) -> Ratio | None:
        """The part of the pool that is consumed; over 1 where it was used beyond. None for a whole term."""
        if self.consumed_quantity is None or self.available_quantity is None:
            return None
        return Ratio(self.consumed_quantity, self.available_quantity)


@dataclass(frozen=True)
class Finding:
    """One suspicion for people to review: what shows it, and what it did to the figures. `source_file` and
    `line_number` say where it was read; None where it is not about a line."""

    finding_key: str
    finding: str
    finding_label: str
    ticket_id: str | None
    customer_id: str | None
    subscription_id: str | None
    evidence: str
    effect: str
    source_file: str | None
    line_number: int | None


@dataclass(frozen=True)
class FindingCount:
    """How many findings there are of one kind."""

    finding: str
    finding_label: str
    finding_count: int


@dataclass(frozen=True)
class Findings:
    """Findings by kind, the most frequent first; `counts` add up to `rows`."""

    counts: tuple[FindingCount, ...]
    rows: tuple[Finding, ...]
    as_of: datetime


@dataclass(frozen=True)
class Movement:
    """One line of the entitlement ledger. `quantity` is signed; `balance_after` is None for unlimited and not
    stated pools. `month` is that of the plan's time zone."""

    movement_id: str
    customer_id: str
    subscription_id: str
    pool: str
    statement_line: int
    movement_kind: str
    quantity: int | None
    balance_after: int | None
    happened_at: datetime
    known_at: datetime | None
    month: str
    cause_kind: str
    cause_id: str
    ticket_id: str | None
    undoes_movement_id: str | None
    reason: str | None


@dataclass(frozen=True)
class StatementMonth:
    """One month of one pool: opening + granted + purchased - used + credited + overflowed out - overflowed in
    + overage - expired = closing; opening and closing are None for unlimited and not stated pools."""

    customer_id: str
    subscription_id: str
    plan: str
    plan_version: str
    pool: str
    month: str
    opening_quantity: int | None
    granted_quantity: int | None
    purchased_quantity: int
    used_quantity: int
    credited_quantity: int
    overflowed_in_quantity: int
    overflowed_out_quantity: int
    overage_quantity: int
    overage_to_date_quantity: int
    expired_quantity: int
    closing_quantity: int | None
    is_unlimited: bool
    is_stated: bool
    is_redeemed: bool
    term_status: str
    term_starts_on: date
    term_ends_on: date


@dataclass(frozen=True)
class Statement:
    """The account statement of one pool of one subscription term: its months in order, and every line of them."""

    customer_id: str
    subscription_id: str
    plan: str
    plan_version: str
    pool: str
    months: tuple[StatementMonth, ...]
    lines: tuple[Movement, ...]

    @property
    def opening_quantity(self) -> int | None:
        return self.months[0].opening_quantity

    @property
    def closing_quantity(self) -> int | None:
        return self.months[-1].closing_quantity

    @property
    def adds_up(self) -> bool:
        """Whether the lines lead from the opening to the closing, where there is a number."""
        if self.opening_quantity is None or self.closing_quantity is None:
            return True
        moved = sum(line.quantity or 0 for line in self.lines)
        return self.opening_quantity + moved == self.closing_quantity


@dataclass(frozen=True)
class Obligation:
    """One promise to one ticket, with its verdict. `month` is the month it is counted in on the asked basis;
    durations are seconds on `clock_name`; `remaining_seconds` is negative when over target."""

    obligation_key: str
    ticket_id: str
    cycle_number: int
    customer_id: str
    customer_name: str | None
    subscription_id: str | None
    subject: str | None
    requester: str | None
    channel: str | None
    plan: str | None
    plan_version: str | None
    clause: str | None
    clause_text: str | None
    obligation: str
    obligation_kind: str | None
    severity_submitted: int | None
    severity_in_force: int | None
    clock_name: str | None
    submitted_at: datetime | None
    starts_at: datetime | None
    due_at: datetime | None
    settled_at: datetime | None
    stopped_at: datetime | None
    breached_at: datetime | None
    target_seconds: int | None
    elapsed_seconds: int | None
    remaining_seconds: int | None
    status: str
    status_reason: str | None
    reason_label: str | None
    status_before_waiver: str | None
    status_as_submitted: str | None
    waiver_id: str | None
    month: str | None
    settled_month: str | None
    submitted_month: str | None
    as_of: datetime

    @property
    def used(self) -> Ratio | None:
        """The part of the target that is used up, or None where no target was promised."""
        if self.target_seconds is None or self.elapsed_seconds is None:
            return None
        return Ratio(self.elapsed_seconds, self.target_seconds)

    @property
    def over_by_seconds(self) -> int | None:
        """Seconds over target, or None while within it."""
        if self.target_seconds is None or self.elapsed_seconds is None:
            return None
        over = self.elapsed_seconds - self.target_seconds
        return over if over > 0 else None


@dataclass(frozen=True)
class VendorFigure:
    """A figure that the helpdesk computed itself beside ours: seconds, verdicts, and why the two differ.

    `difference_seconds` is ours less theirs. What of either side is not there is None.
    """

    ticket_id: str
    customer_id: str | None
    figure: str | None
    obligation: str
    cycle_number: int
    figure_kind: str
    clock_kind: str | None
    clock_name: str | None
    they_seconds: int | None
    our_seconds: int | None
    difference_seconds: int | None
    they_breached: bool | None
    we_breached: bool | None
    difference_reason: str
    reason_label: str
    source_file: str
    line_number: int


@dataclass(frozen=True)
class Segment:
    """One segment of an obligation's wall time: `counted`, `closed`, `holiday` or `paused`."""

    obligation_key: str
    segment_number: int
    segment_kind: str
    starts_at: datetime
    ends_at: datetime
    counted_seconds: int
    wall_seconds: int
    segment_reason: str | None
    calendar_version: str | None


@dataclass(frozen=True)
class TicketEvent:
    """One event of a ticket, in the order in which the rules read them, with the source line it comes
    from."""

    event_id: str
    ticket_id: str
    event_at: datetime
    event_order: int
    moment: str | None
    event_type: str
    actor_kind: str | None
    actor: str | None
    is_public: bool | None
    value: str | None
    is_automatic_reply: bool | None
    source: str
    source_file: str
    line_number: int


@dataclass(frozen=True)
class Ticket:
    """One ticket as the rules see it, with the source line it comes from."""

    ticket_id: str
    source: str
    customer_id: str | None
    requester: str | None
    channel: str | None
    severity_submitted: int | None
    severity_now: int | None
    submitted_at: datetime
    subject: str | None
    ticket_type: str | None
    ticket_status: str | None
    source_file: str
    line_number: int


@dataclass(frozen=True)
class ObligationExplanation:
    """Why one verdict: its segments add up to the elapsed seconds; `passed_over` are automatic replies
    between the start and the stop; `stopped_by` is the event that stopped the clock."""

    obligation: Obligation
    segments: tuple[Segment, ...]
    stopped_by: TicketEvent | None
    passed_over: tuple[TicketEvent, ...]
    calendar_versions: tuple[str, ...]


@dataclass(frozen=True)
class Explanation:
    """Everything behind one ticket's verdicts."""

    ticket: Ticket
    customer_name: str | None
    obligations: tuple[ObligationExplanation, ...]
    events: tuple[TicketEvent, ...]
    movements: tuple[Movement, ...]
    as_of: datetime
    build_id: str


@dataclass(frozen=True)
class Check:
    """One data check of the build. `observed` and `detail` are withheld from a limited scope.

    `suite`: landed, dbt or published; a dbt test of its own has no table.
    """

    check_name: str
    suite: str
    table_name: str | None
    expectation: str
    column_name: str | None
    severity: str
    status: str
    observed: str | None
    detail: str | None


@dataclass(frozen=True)
class BuildStatus:
    """What is published and how fresh it is."""

    build_id: str
    as_of: datetime
    published_at: datetime | None
    tzdata_version: str
    holidays_version: str
    landed_rows: int
    batches: int
    newest_landed_at: datetime | None
    checks: tuple[Check, ...]


@dataclass(frozen=True)
class Customer:
    """One customer that reports can be made for."""

    customer_id: str
    customer_name: str
    time_zone: str | None


@dataclass(frozen=True)
class PlanTerm:
    """One promise of one plan version for one severity. `note` tells a reading that the source does not
    state."""

    plan: str
    plan_title: str
    plan_version: str
    obligation: str
    obligation_kind: str
    severity: int
    severity_label: str | None
    target_seconds: int
    clock_name: str
    clause: str | None
    clause_text: str | None
    note: str | None


@dataclass(frozen=True)
class PlanPool:
    """One entitlement of one plan version, with where it stands in the plan."""

    plan: str
    plan_version: str
    pool: str
    clause: str | None
    clause_text: str | None
    note: str | None


@dataclass(frozen=True)
class PlanStatement:
    """One rule of one plan version in words. A reading is one that we chose where the plan's source is
    silent."""

    plan_version: str
    statement: str
    statement_value: str | None
    clause: str | None
    clause_text: str | None
    note: str | None
    is_reading: bool


@dataclass(frozen=True)
class Closure:
    """A holiday, a break or another day's hours: a span named for the reason why its clock differs."""

    clock_name: str
    reason: str
    starts_at: datetime
    ends_at: datetime


@dataclass(frozen=True)
class Waiver:
    """A recorded exception: why a breach is not counted, who asked for it and who else approved it."""

    waiver_id: str
    reason: str
    requested_by: str
    approved_by: str
    approved_at: datetime


@dataclass(frozen=True)
class Promise:
    """One line of a customer's summary: a promise (all severities that share it) with this and last month's
    count.

    `running` counts what still ran at the as-of instant and was submitted by the end of the month: such a
    promise belongs to no finished month yet.
    """

    plan: str
    obligation: str
    obligation_kind: str
    severities: tuple[int, ...]
    target_seconds: int
    clock_name: str
    clause: str | None
    tally: Tally
    previous: Tally
    running: int


@dataclass(frozen=True)
class MonthlyReport:
    """Everything that a customer's monthly document says. Promises plus `outside_promises` add up to
    `total`."""

    customer_id: str
    customer_name: str
    month: str
    previous_month: str
    time_zone: str
    plans: tuple[str, ...]
    tickets_submitted_count: int
    is_partial: bool
    total: Tally
    previous_total: Tally
    outside_promises: Tally
    outside_running: int
    promises: tuple[Promise, ...]
    trend: tuple[TrendPoint, ...]
    obligations: tuple[Obligation, ...]
    still_running: tuple[Obligation, ...]
    statements: tuple[Statement, ...]
    plan_terms: tuple[PlanTerm, ...]
    plan_pools: tuple[PlanPool, ...]
    plan_statements: tuple[PlanStatement, ...]
    closures: tuple[Closure, ...]
    waivers: tuple[Waiver, ...]
    build: BuildStatus

    @property
    def as_of(self) -> datetime:
        return self.build.as_of


@dataclass(frozen=True)
class PlanFit:
    """One subscription term under a plan that is only tried: the same tickets, counted as they are and as they would be.

    Terms that stack are one. A version is None where the plan had none in force when the term began, and so is the overage.
    """

    customer_id: str
    customer_name: str
    subscription_id: str
    plan: str
    plan_version: str | None
    trial_plan: str
    trial_plan_version: str | None
    term_status: str
    term_starts_on: date
    term_ends_on: date
    target_met_count: int
    target_breached_count: int
    estimate_met_count: int
    estimate_breached_count: int
    trial_target_met_count: int
    trial_target_breached_count: int
    trial_estimate_met_count: int
    trial_estimate_breached_count: int
    changed_verdicts_count: int
    changed_tickets_count: int
    overage_quantity: int | None
    trial_overage_quantity: int | None
    is_current_plan: bool
    as_of: datetime


@dataclass(frozen=True)
class VerdictDifference:
    """One promise of a ticket whose status would be another one. A side is None where that plan has no such promise or cycle."""

    ticket_id: str
    customer_id: str
    subscription_id: str
    plan: str
    trial_plan: str
    obligation: str
    cycle_number: int
    status: str | None
    trial_status: str | None
    status_reason: str | None
    trial_status_reason: str | None
    clock_name: str | None
    trial_clock_name: str | None
    target_seconds: int | None
    trial_target_seconds: int | None
    elapsed_seconds: int | None
    trial_elapsed_seconds: int | None
    due_at: datetime | None
    trial_due_at: datetime | None
    submitted_at: datetime


@dataclass(frozen=True)
class BalanceDifference:
    """One pool of a term that would hold, leave or exceed another quantity.

    None is no such number; where the overage is None, that plan has no such pool.
    """

    subscription_id: str
    customer_id: str
    trial_plan: str
    pool: str
    granted_quantity: int | None
    trial_granted_quantity: int | None
    remaining_quantity: int | None
    trial_remaining_quantity: int | None
    overage_quantity: int | None
    trial_overage_quantity: int | None
    is_unlimited: bool
    is_trial_unlimited: bool
    is_stated: bool
    is_trial_stated: bool


@dataclass(frozen=True)
class Trial:
    """What another plan would change: per term, and every difference behind it."""

    trial_plan: str
    fits: tuple[PlanFit, ...]
    verdicts: tuple[VerdictDifference, ...]
    balances: tuple[BalanceDifference, ...]

    @property
    def targets(self) -> tuple[Ratio, Ratio]:
        """Compliance with targets as it is, and under the plan that is tried."""
        met = sum(fit.target_met_count for fit in self.fits)
        trial_met = sum(fit.trial_target_met_count for fit in self.fits)
        return (
            Ratio(met, met + sum(fit.target_breached_count for fit in self.fits)),
            Ratio(trial_met, trial_met + sum(fit.trial_target_breached_count for fit in self.fits)),
        )

    @property
    def estimates(self) -> tuple[Ratio, Ratio]:
        """The same of estimates, which are measured alike and promised less."""
        met = sum(fit.estimate_met_count for fit in self.fits)
        trial_met = sum(fit.trial_estimate_met_count for fit in self.fits)
        return (
            Ratio(met, met + sum(fit.estimate_breached_count for fit in self.fits)),
            Ratio(trial_met, trial_met + sum(fit.trial_estimate_breached_count for fit in self.fits)),
        )

    @property
    def overage(self) -> tuple[int, int]:
        """Units over everything that the terms hold, as it is and under the plan that is tried; of `comparable_pools` only."""
        return (
            sum(fit.overage_quantity or 0 for fit in self.comparable_pools),
            sum(fit.trial_overage_quantity or 0 for fit in self.comparable_pools),
        )

    @property
    def comparable_pools(self) -> tuple[PlanFit, ...]:
        """The terms for which both plans had a version in force when they began: only a version grants pools."""
        return tuple(fit for fit in self.fits if fit.plan_version and fit.trial_plan_version)

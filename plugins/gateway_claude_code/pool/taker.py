"""The process for an answer: the one that has the conversation, one that may have it, or a new one."""

from collections.abc import Callable
from typing import NamedTuple

from gateway.context import RequestContext
from gateway_claude_code.compatibility.verdict import CliVerdict
from gateway_claude_code.config import ClaudeCodeConfig
from gateway_claude_code.conversations.attempts import Attempt
from gateway_claude_code.conversations.conversation import Conversation
from gateway_claude_code.conversations.turn_plan import TurnPlan
from gateway_claude_code.pool.pool import Pool
from gateway_claude_code.process.environment import CliEnvironment
from gateway_claude_code.process.launch import Launch, Program, launch_for
from gateway_claude_code.reuse.set_up import Wanted


class Taken(NamedTuple):
    """A process, and how many turns of the request it keeps; see `TurnDriver.answer`."""

    conversation: Conversation
    kept: int | None


class Taker:
    """Takes processes of a pool for plans; `notice` is called with each program that is used."""

    def __init__(
        self,
        config: ClaudeCodeConfig,
        cli_environment: CliEnvironment,
        pool: Pool,
        verdict: CliVerdict,
        notice: Callable[[Program], None],
    ) -> None:
        self._config = config
        self._cli_environment = cli_environment
        self._pool = pool
        self._verdict = verdict
        self._notice = notice

    async def take(self, plan: TurnPlan, attempt: Attempt, ctx: RequestContext) -> Taken:
        """A process for this attempt. Raises `BackendUnavailable` and `GatewayBusy`."""
        taken = await self._take(plan, attempt, ctx)
        self._pool.begin(taken.conversation)
        return taken

    async def _take(self, plan: TurnPlan, attempt: Attempt, ctx: RequestContext) -> Taken:
        if attempt.live and plan.key_before is not None:
            waiting = await self._pool.take_live(plan.key_before)
            if waiting is not None:
                return Taken(waiting, None)
        launch = self._launch(plan)
        wanted = self._wanted(plan, launch)
        sought = wanted if attempt.live else None
        if sought is not None:
            self._pool.set_ups.note(sought, plan.recipe)
            if (idle := await self._pool.take_idle(sought)) is not None:
                return Taken(idle, plan.kept_by(idle))
        caller = plan.prepared.request.client.caller
        conversation = await self._pool.obtain(
            launch, caller, ctx, fresh=not attempt.spare, wanted=sought
        )
        if plan.has_history and not self._verdict.takes_history(launch.identity):
            conversation.use_transcript()
        elif wanted is not None:
            conversation.held.serve(wanted.set_up)
        conversation.held.belong_to(caller)
        return Taken(conversation, plan.kept_by(conversation))

    def _launch(self, plan: TurnPlan) -> Launch:
        launch = launch_for(
            self._config,
            self._cli_environment,
            plan.model,
            one_request=plan.one_request,
            agent=plan.prepared.agent,
        )
        self._verdict.admit(launch.identity)
        self._notice(launch.identity)
        return launch

    def _wanted(self, plan: TurnPlan, launch: Launch) -> Wanted | None:
        client = plan.prepared.request.client
        usual = "conversation" if client.may_be_many else "caller"
        if (self._config.reuse or usual) != "caller" or not self._verdict.rewinds(launch.identity):
            return None
        return plan.wanted(launch)

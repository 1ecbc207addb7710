"""The official SDK makes audiences, by file too, sends narrowcasts to them and reads the status."""

from __future__ import annotations

import asyncio
import uuid

import linebot.v3.audience as audience_sdk
import pytest
from linebot.v3 import messaging as sdk
from linebot.v3.audience import models

HI = sdk.TextMessage(text="hi")


@pytest.fixture
async def manage(line):
    settings = audience_sdk.Configuration(host=line.url, access_token=line.token)
    async with audience_sdk.AsyncApiClient(settings) as client:
        yield (
            audience_sdk.AsyncManageAudience(client),
            audience_sdk.AsyncManageAudienceBlob(client),
        )


@pytest.fixture
async def messages(line):
    settings = sdk.Configuration(host=line.url, access_token=line.token)
    async with sdk.AsyncApiClient(settings) as client:
        yield sdk.AsyncMessagingApi(client)


async def friends(line, count, **more):
    return [one["id"] for one in await line.create_users(count, state="friend", **more)]


async def test_audience_by_json(line, manage):
    people = await friends(line, 3)
    api, _ = manage
    made = await api.create_audience_group(
        models.CreateAudienceGroupRequest(
            description="VIP", audiences=[models.Audience(id=one) for one in people[:2]]
        )
    )
    assert made.type == models.AudienceGroupType.UPLOAD
    await api.add_audience_to_audience_group(
        models.AddAudienceToAudienceGroupRequest(
            audienceGroupId=made.audience_group_id, audiences=[models.Audience(id=people[2])]
        )
    )
    await line.clock(advance=60)
    await line.clock(advance=60)
    found = await api.get_audience_data(made.audience_group_id)
    assert found.audience_group.status == models.AudienceGroupStatus.READY
    assert found.audience_group.audience_count == 3
    assert [job.job_status for job in found.jobs] == [models.AudienceGroupJobStatus.FINISHED] * 2
    await api.update_audience_group_description(
        made.audience_group_id,
        models.UpdateAudienceGroupDescriptionRequest(description="renamed"),
    )
    listed = await api.get_audience_groups(page=1, description="RENAMED", size=40)
    assert [one.audience_group_id for one in listed.audience_groups] == [made.audience_group_id]
    assert listed.read_write_audience_group_total_count == 1
    shared = await api.get_shared_audience_groups(page=1)
    assert shared.audience_groups == []
    await api.delete_audience_group(made.audience_group_id)
    with pytest.raises(audience_sdk.ApiException) as gone:
        await api.get_audience_data(made.audience_group_id)
    assert gone.value.status == 400


async def test_audience_by_file_async(line, manage, tmp_path):
    people = await friends(line, 2)
    _, blob = manage
    names = tmp_path / "ids.txt"
    names.write_text("\n".join(people), encoding="utf-8")
    made = await blob.create_audience_for_uploading_user_ids(file=str(names), description="名簿")
    assert made.description == "名簿"
    assert await members(line, made.audience_group_id) == sorted(people)


async def members(line, audience):
    await line.clock(advance=60)
    await line.clock(advance=60)
    return sorted((await line.call("GET", f"/audiences/{audience}/users"))["ids"])


async def test_audience_by_file_sync(line, tmp_path):
    """Created and added to; the asynchronous client cannot send the number of an audience."""
    people = await friends(line, 3)
    first, second = tmp_path / "first.txt", tmp_path / "second.txt"
    first.write_text("\r\n".join(people[:2]), encoding="utf-8")
    second.write_text(people[2], encoding="utf-8")

    def upload():
        settings = audience_sdk.Configuration(host=line.url, access_token=line.token)
        with audience_sdk.ApiClient(settings) as client:
            blob = audience_sdk.ManageAudienceBlob(client)
            made = blob.create_audience_for_uploading_user_ids(
                file=str(first), description="sync", is_ifa_audience=False
            )
            blob.add_user_ids_to_audience(
                file=str(second),
                audience_group_id=made.audience_group_id,
                upload_description="二回目",
            )
            return made

    made = await asyncio.to_thread(upload)
    assert await members(line, made.audience_group_id) == sorted(people)


async def test_click_and_impression(line, manage, messages):
    people = await friends(line, 50)
    sent = await messages.broadcast_with_http_info(sdk.BroadcastRequest(messages=[HI]))
    request = sent.headers["x-line-request-id"]
    await line.acts([{"user": one, "type": "read"} for one in people])
    api, _ = manage
    seen = await api.create_imp_based_audience_group(
        models.CreateImpBasedAudienceGroupRequest(description="seen", requestId=request)
    )
    clicked = await api.create_click_based_audience_group(
        models.CreateClickBasedAudienceGroupRequest(
            description="clicked", requestId=request, clickUrl="https://example.com/"
        )
    )
    await line.clock(advance=60)
    status = {
        one.description: one.status
        for one in (await api.get_audience_groups(page=1)).audience_groups
    }
    ready, waiting = models.AudienceGroupStatus.READY, models.AudienceGroupStatus.IN_PROGRESS
    assert status == {"seen": ready, "clicked": waiting}
    assert (seen.request_id, clicked.click_url) == (request, "https://example.com/")


async def test_narrowcast(line, manage, messages):
    women = await friends(line, 60, attributes={"gender": "female", "age": 32})
    await friends(line, 60, attributes={"gender": "male", "age": 32})
    api, _ = manage
    made = await api.create_audience_group(
        models.CreateAudienceGroupRequest(
            description="VIP", audiences=[models.Audience(id=one) for one in women[:5]]
        )
    )
    await line.clock(advance=60)
    await line.clock(advance=60)
    left_out = sdk.AudienceRecipient(audienceGroupId=made.audience_group_id)
    request = sdk.NarrowcastRequest(
        messages=[HI],
        recipient=sdk.OperatorRecipient(**{"not": left_out}),
        filter=sdk.Filter(
            demographic=sdk.OperatorDemographicFilter(
                **{
                    "and": [
                        sdk.GenderDemographicFilter(oneOf=[sdk.GenderDemographic.FEMALE]),
                        sdk.AgeDemographicFilter(gte="age_30", lt="age_35"),
                    ]
                }
            )
        ),
        limit=sdk.Limit(max=52, upToRemainingQuota=True),
    )
    key = str(uuid.uuid4())
    sent = await messages.narrowcast_with_http_info(request, x_line_retry_key=key)
    assert sent.status_code == 202
    request_id = sent.headers["x-line-request-id"]
    waiting = await messages.get_narrowcast_progress(request_id)
    assert (waiting.phase, waiting.success_count) == ("waiting", None)
    await line.clock(advance=60)
    done = await messages.get_narrowcast_progress(request_id)
    assert (done.phase, done.success_count, done.target_count) == ("succeeded", 52, 52)
    assert done.completed_time >= done.accepted_time
    deliveries, _ = await line.deliveries_page()
    assert {one["user"] for one in deliveries} < set(women[5:])
    with pytest.raises(sdk.ApiException) as again:
        await messages.narrowcast(request, x_line_retry_key=key)
    assert again.value.status == 409

"""Service-specific credentials (IAM: CreateServiceSpecificCredential and its siblings)."""

import pytest

GIT, BEDROCK = "codecommit.amazonaws.com", "bedrock.amazonaws.com"


@pytest.fixture
def ann(iam):
    iam.create_user(UserName="ann")
    return {"UserName": "ann"}


def make(iam, **params):
    made = iam.create_service_specific_credential(**params)
    return made["ServiceSpecificCredential"]


def test_the_secret_is_told_when_made_and_when_reset_and_never_listed(iam, ann):
    made = make(iam, ServiceName=GIT, **ann)
    one = {"ServiceSpecificCredentialId": made["ServiceSpecificCredentialId"], **ann}
    assert one["ServiceSpecificCredentialId"].startswith("ACCA")
    again = iam.reset_service_specific_credential(**one)["ServiceSpecificCredential"]
    assert again["ServicePassword"] not in ("", made["ServicePassword"])
    listed = iam.list_service_specific_credentials(**ann)["ServiceSpecificCredentials"]
    assert [c["ServiceSpecificCredentialId"] for c in listed] == list(one.values())[:1]
    assert "ServicePassword" not in listed[0]


def test_its_status_can_be_set_and_it_can_be_deleted(iam, ann, world):
    before = world.digest()
    one = {**ann, "ServiceSpecificCredentialId": ""}
    one["ServiceSpecificCredentialId"] = make(iam, ServiceName=GIT, **ann)[
        "ServiceSpecificCredentialId"
    ]
    iam.update_service_specific_credential(**one, Status="Inactive")
    listed = iam.list_service_specific_credentials(**ann)["ServiceSpecificCredentials"]
    assert [c["Status"] for c in listed] == ["Inactive"]
    assert world.digest() != before
    iam.delete_service_specific_credential(**one)
    assert world.digest() == before


def test_two_for_each_service_and_only_for_services_that_have_them(iam, ann, refused):
    create = iam.create_service_specific_credential
    for _ in range(2):
        make(iam, ServiceName=GIT, **ann)
    assert refused(create, ServiceName=GIT, **ann) == "LimitExceeded"
    assert refused(create, ServiceName="s3.amazonaws.com", **ann) == "NotSupportedService"
    key = make(iam, ServiceName=BEDROCK, CredentialAgeDays=30, **ann)
    assert (key["ExpirationDate"] - key["CreateDate"]).days == 30
    assert key["ServiceCredentialSecret"]


def test_all_users_come_in_pages_and_nobody_unknown_has_any(iam, ann, refused):
    iam.create_user(UserName="ben")
    for name in ("ann", "ben"):
        make(iam, UserName=name, ServiceName=GIT)
    first = iam.list_service_specific_credentials(AllUsers=True, MaxItems=1)
    rest = iam.list_service_specific_credentials(AllUsers=True, Marker=first["Marker"])
    users = [c["UserName"] for p in (first, rest) for c in p["ServiceSpecificCredentials"]]
    assert users == ["ann", "ben"]
    assert [p["IsTruncated"] for p in (first, rest)] == [True, False]
    lost = {"ServiceSpecificCredentialId": "ACCANOBODYHASTHISONE1", "Status": "Inactive"}
    assert refused(iam.update_service_specific_credential, **ann, **lost) == "NoSuchEntity"
    assert refused(iam.list_service_specific_credentials, UserName="eve") == "NoSuchEntity"
    assert refused(iam.list_users, Marker="never given") == "ValidationError"

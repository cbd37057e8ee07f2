from tests.conftest import any_database
@any_database
def test_a(actors, served):
    import httpx,time
    t=time.time()
    lead=actors("lead","consultant")
    print(lead.get("sessions/current").json(), time.time()-t)
    print(httpx.get(served+"/readyz").json())
def test_b(actors):
    lead=actors("lead","consultant")
    print(lead.get("people").json())
    print(lead.post("sessions",{"a":1}).text)

"""Reading Terraform CDK's generated bindings: what a class says of its resource."""

from tools.terraform.cdktf import Bindings, storage_type

TEXT = """
function queueRetryToHclTerraform(struct) {
    const attrs = {
        attempts: {
            value: cdktf.numberToHclTerraform(struct.attempts),
            isBlock: false,
            type: "simple",
            storageClassType: "number",
        },
    };
}
class QueueRetryOutputReference extends cdktf.ComplexObject {
    get attempts() {
        return this.getNumberAttribute('attempts');
    }
    get state() {
        return this.getStringAttribute('state');
    }
}
class QueueRuleList extends cdktf.ComplexList {
    get(index) {
        return new structs1.QueueRuleOutputReference(this.terraformResource, \
            this.terraformAttribute, index, this.wrapsSet);
    }
}
class QueueRuleOutputReference extends cdktf.ComplexObject {
    get portNumber() {
        return this.getNumberAttribute('port_number');
    }
}
class Queue extends cdktf.TerraformResource {
    constructor() {
        this._retry = new QueueRetryOutputReference(this, "retry");
        this._rule = new QueueRuleList(this, "rule", true);
        this._tagsAll = new cdktf.StringMap(this, "tags_all");
    }
    get arn() {
        return this.getStringAttribute('arn');
    }
    get zoneIds() {
        return cdktf.Fn.tolist(this.getListAttribute('zone_ids'));
    }
    resetZoneIds() {
    }
    get rule() {
        return this._rule;
    }
    get tagsAll() {
        return this._tagsAll;
    }
    synthesizeHclAttributes() {
        const attrs = {
            zone_ids: {
                value: cdktf.listMapperHcl(cdktf.stringToHclTerraform, false)(this._zoneIds),
                isBlock: false,
                type: "set",
                storageClassType: "stringList",
            },
            retry: {
                value: queueRetryToHclTerraform(this._retry.internalValue),
                isBlock: true,
                type: "list",
                storageClassType: "QueueRetryList",
            },
        };
    }
}
Queue.tfResourceType = "example_queue";
"""


def test_a_class_is_read_as_the_schema_of_its_resource() -> None:
    bindings = Bindings()
    bindings.add(TEXT)
    assert bindings.types == [("Queue", "example_queue")]
    schema = bindings.block("Queue")
    assert schema["attributes"] == {
        "zone_ids": {"type": ["set", "string"], "required": False, "optional": True},
        "arn": {"type": "string", "computed": True},
        "rule": {"type": ["set", ["object", {"port_number": "number"}]], "computed": True},
        "tags_all": {"type": ["map", "string"], "computed": True},
    }
    retry = schema["block_types"]["retry"]
    assert (retry["nesting_mode"], retry["min_items"], retry["max_items"]) == ("list", 1, 1)
    assert retry["block"]["attributes"] == {
        "attempts": {"type": "number", "required": True, "optional": False},
        "state": {"type": "string", "computed": True},
    }


def test_the_names_of_storage_classes_are_types() -> None:
    assert storage_type("simple", "boolean") == "bool"
    assert storage_type("set", "numberList") == ["set", "number"]
    assert storage_type("map", "stringMapMap") == ["map", ["map", "string"]]
    assert storage_type("any", "any") == "dynamic"

# frozen_string_literal: true

require_relative "helper"
require_relative "many_server"

# Forks with open TLS connections, seen from the server: which process's requests came on which connection.
class TestForkingProcesses < PrivyTest
  PROGRAM = File.join(__dir__, "forking_process.rb")
  CHILD = 1_000_000
  STEP = 1_000
  CHURN = 500_000

  def play(scene)
    ManyServer.serving do |server|
      folders = $LOAD_PATH.flat_map { |folder| ["-I", folder] }
      reported, status = Timeout.timeout(600) do
        Open3.capture2e(RbConfig.ruby, "-w", *folders, PROGRAM, scene, server.https, server.ca)
      end
      assert_predicate status, :success?, reported
      assert_empty reported
      server.asked
    end
  end

  # Whatever a child wrote on the parent's connection, TLS would have ended it: the parent's next question came on it.
  def test_children_leave_the_kept_connection_to_their_parent
    assert_equal [[1, 2, 3, 4], [CHILD, CHILD + 1]], play("idle")
  end

  def test_children_leave_a_run_of_many_calls_to_their_parent
    children, parents = play("bulk").partition { |numbers| numbers.include?(CHILD) }
    assert_equal [[CHILD]], children
    assert_operator parents.length, :<=, 4
    assert_equal (1..40).to_a, parents.flatten.sort
  end

  def test_forks_with_calls_in_flight_in_other_threads
    connections = play("in_flight").reject(&:empty?)
    owners = connections.map { |numbers| numbers.map { |number| number < CHILD ? 0 : number / STEP }.uniq }
    assert(owners.all? { |owner| owner.length == 1 })
    expected = (0...12).flat_map { |child| [0, 0, 1, 1].map { |n| CHILD + (STEP * child) + n } }
    assert_equal expected, connections.flatten.select { |number| number >= CHILD }.sort
    kept = connections.count { |numbers| numbers.first < CHURN }
    assert_includes 6..7, kept, "a child's end broke connections of its parent"
  end
end
